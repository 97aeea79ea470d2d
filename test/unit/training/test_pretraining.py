# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pretraining on random streets: it learns, guided or not, resumes exactly, and the live node takes its checkpoint."""

from __future__ import annotations

import dataclasses
import signal

import numpy as np
import pytest
import torch

from depth_node.checkpoints.depth import load_checkpoint, read_info, restate
from depth_node.config.network import NetworkConfig
from depth_node.config.pretraining import PretrainConfig, WorldsConfig
from depth_node.config.semantic import SemanticConfig
from depth_node.errors import ConfigError, TrainingError
from depth_node.inference.estimator import DepthEstimator
from depth_node.training.pretraining import Pretraining, StreetDepth, _abs_rel
from depth_node.training.run.metrics_file import read_metrics

WORLDS = WorldsConfig(width=128, height=64, frames=3, streets=3, start=6, per_step=0.2, pool=6, workers=1)
SEMANTIC = SemanticConfig(encoder="tu-lcnet_050", pyramid_channels=16, segmentation_channels=32)
PLAIN = NetworkConfig(width=96, height=64, pose="posenet")
SHORT = PretrainConfig(
    steps=24,
    batch_size=4,
    learning_rate=3e-3,
    worlds=WORLDS,
    precision="fp32",
    device="cpu",
    pretrained=False,
    val_streets=1,
    log_every=1,
    save_every=12,
)
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")]),
]


@pytest.fixture(scope="module")
def streets(tmp_path_factory):
    """One folder of rendered streets for all runs."""
    return tmp_path_factory.mktemp("streets")


def pretraining(folder, streets, network=PLAIN, **changes):
    return Pretraining(network, SEMANTIC, dataclasses.replace(SHORT, **changes), folder, streets)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("guided", [False, True], ids=["plain", "guided"])
def test_it_learns_and_saves(tmp_path, streets, guided, device):
    network = dataclasses.replace(PLAIN, guided=guided)
    run = pretraining(tmp_path / "run", streets, network, semantic_steps=8 if guided else 0, device=device)
    best = run.run()
    rows = read_metrics(tmp_path / "run")
    losses = [float(row["loss"]) for row in rows if row["stage"] == "train"]
    assert len(losses) == 24
    assert np.mean(losses[-6:]) < 0.8 * np.mean(losses[:6])
    assert [float(row["abs_rel"]) > 0 for row in rows if row["stage"] == "val"] == [True, True]
    estimator = DepthEstimator.from_checkpoint(best, device="cpu")
    assert (estimator.info.scale, estimator.info.scale_source) == (1.0, "ground_truth")
    assert estimator.info.camera is not None
    assert estimator.info.camera.fx == pytest.approx(0.58 * 96)
    assert "simulated" in estimator.info.training["supervision"]
    found = estimator.estimate(np.full((64, 96, 3), 90, np.uint8), np.diag([50.0, 50, 1]))
    assert (found.labels is not None) == guided
    if guided:
        assert len([row for row in read_metrics(tmp_path / "run/semantic") if row["stage"] == "train"]) == 8


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path, streets, monkeypatch):
    network = dataclasses.replace(PLAIN, guided=True)
    few = {"semantic_steps": 2, "steps": 6, "save_every": 2}
    pretraining(tmp_path / "whole", streets, network, **few).run()
    step = StreetDepth.training_step

    def interrupt(self, batch, number):
        if number == 3:
            signal.raise_signal(signal.SIGTERM)
        return step(self, batch, number)

    ended = pretraining(tmp_path / "parts", streets, network, **few)
    monkeypatch.setattr(StreetDepth, "training_step", interrupt)
    with pytest.raises(SystemExit):
        ended.run()
    monkeypatch.setattr(StreetDepth, "training_step", step)
    pretraining(tmp_path / "parts", streets, network, **few).run(resume=True)
    whole, parts = (load_checkpoint(tmp_path / name / "last.safetensors") for name in ("whole", "parts"))
    for name, weights in whole.depth.state_dict().items():
        assert torch.equal(weights, parts.depth.state_dict()[name]), name
    assert [row["loss"] for row in read_metrics(tmp_path / "whole")] == [
        row["loss"] for row in read_metrics(tmp_path / "parts")
    ]
    with pytest.raises(ConfigError, match="started with absolute"):
        pretraining(tmp_path / "parts", streets, network, **few, absolute=0.5).run(resume=True)


def test_a_larger_network_starts_from_a_smaller_one(tmp_path, streets):
    small = pretraining(tmp_path / "small", streets, steps=2).run()
    restate(small, dataclasses.replace(read_info(small), licence="MIT"))
    # A rate of 0 leaves the weights as they came.
    larger = dataclasses.replace(PLAIN, width=128)
    rates = {"learning_rate": 0.0, "encoder_rate": 0.0}
    large = pretraining(tmp_path / "large", streets, larger, steps=1, initial=str(small), **rates).run()
    assert read_info(large).licence == "MIT"  # goes on with the weights
    before, after = (dict(load_checkpoint(path).depth.named_parameters()) for path in (small, large))
    assert all(torch.equal(before[name], after[name]) for name in before)
    other = dataclasses.replace(PLAIN, encoder="tf_efficientnet_lite0")
    with pytest.raises(TrainingError, match=r"another encoder than this run: leave out --network\.encoder"):
        pretraining(tmp_path / "other", streets, other, initial=str(small)).run()


def test_the_error_is_that_of_the_median_scaled_depth():
    true = torch.tensor([[[2.0, 4.0, 8.0, float("inf"), 0.0]]])
    seen = torch.tensor([[[1.0, 2.0, 5.0, 1.0, 1.0]]])  # times 2: right, right, a quarter too far
    assert float(_abs_rel(seen, true)) == pytest.approx(0.25 / 3)


def test_a_guided_network_needs_a_semantic_one(tmp_path, streets):
    with pytest.raises(TrainingError, match="--semantic_steps"):
        pretraining(tmp_path / "run", streets, dataclasses.replace(PLAIN, guided=True)).run()
    assert not (tmp_path / "run").exists()
