# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Each backbone, plain and guided: builds, learns two steps, is saved and loaded bit-equal, and runs live."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest
import torch

from depth_node.checkpoints.depth import load_checkpoint, save_checkpoint
from depth_node.config.network import ARCHITECTURES
from depth_node.config.training import TrainConfig
from depth_node.datasets.triplets import open_splits
from depth_node.inference.estimator import DepthEstimator
from depth_node.kitti.calibration import write_calibration
from depth_node.networks.semantic import fingerprint
from depth_node.training.fit import fit

HEIGHT, WIDTH, FRAMES = 64, 96, 4
K = np.array([[60.0, 0, 47.5], [0, 60.0, 31.5], [0, 0, 1]])
EVERY_NETWORK = [
    pytest.param(architecture, guided, marks=[pytest.mark.slow] if architecture == "packnet01" else [])
    for architecture in ARCHITECTURES
    for guided in (False, True)
]


@pytest.fixture(scope="module")
def triplets(tmp_path_factory):
    """Two triplets of a camera that moves past a textured wall."""
    date = tmp_path_factory.mktemp("kitti") / "2024_01_01"
    pictures = date / "2024_01_01_drive_0001_sync/image_02/data"
    pictures.mkdir(parents=True)
    write_calibration(date, K, WIDTH, HEIGHT, stamp_ns=0)
    coarse = np.random.default_rng(0).integers(0, 256, (8, 16, 3), np.uint8)
    wall = cv2.resize(coarse, (2 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for index in range(FRAMES):
        cv2.imwrite(str(pictures / f"{index:010d}.png"), wall[:, 3 * index : 3 * index + WIDTH])
    return open_splits(date.parent, HEIGHT, WIDTH)[0]


@pytest.fixture
def folder(tmp_path):
    """Emptied afterwards: PackNet leaves gigabytes."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def unequal(first, second):
    """Names of the tensors in which two state dicts differ."""
    assert first.keys() == second.keys()
    return {name for name in first if not torch.equal(first[name], second[name])}


@pytest.mark.parametrize(("architecture", "guided"), EVERY_NETWORK)
def test_a_network_goes_all_the_way(architecture, guided, triplets, make_semantic_checkpoint, folder):
    make_semantic_checkpoint(folder / "start.safetensors", architecture, guided, HEIGHT, WIDTH)
    start = load_checkpoint(folder / "start.safetensors")
    config = TrainConfig(
        batch_size=1,
        steps=2,
        learning_rate=1e-3,
        workers=0,
        device="cpu",
        pretrained=False,
        initial=str(folder / "start.safetensors"),
    )
    trained = load_checkpoint(fit(triplets, None, start.info.network, config, folder / "run"))

    # Every weight learns, and none of the semantic network does. timm starts residual branches at zero, so that two
    # steps need not reach the layers before their ends.
    learnt = {name for name, _ in trained.depth.named_parameters()}
    still = learnt - unequal(start.depth.state_dict(), trained.depth.state_dict())
    assert {name for name in still if not name.startswith("encoder.backbone.")} == set()
    assert len(still) < len(learnt) / 10
    assert any(name.startswith("guidance.") for name in learnt) == guided
    assert fingerprint(trained.semantic) == fingerprint(start.semantic)

    # The file holds what training ended with, and a copy of it the same bits.
    state = torch.load(folder / "run/last.ckpt", weights_only=True, mmap=True)["networks"]
    ended = {name.removeprefix("depth."): value for name, value in state.items() if name.startswith("depth.")}
    assert unequal(ended, trained.depth.state_dict()) == set()
    copy = folder / "copy.safetensors"
    save_checkpoint(copy, trained.info, trained.depth, trained.pose, trained.semantic)
    again = load_checkpoint(copy)
    for name in ("depth", "pose", "semantic"):
        assert unequal(getattr(trained, name).state_dict(), getattr(again, name).state_dict()) == set()

    image = triplets[0].target.numpy()
    predictions = [DepthEstimator(checkpoint, device="cpu").estimate(image, K) for checkpoint in (trained, again)]
    assert torch.equal(predictions[0].depth, predictions[1].depth)
    assert predictions[0].depth.shape == (HEIGHT, WIDTH)
    assert (predictions[0].depth > 0).all()
    assert predictions[0].labels.shape == (HEIGHT, WIDTH)
