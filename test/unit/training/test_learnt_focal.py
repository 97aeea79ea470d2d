# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The focal length is found on a street with bends by the module that trains; depth is exact, motion is learnt."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth import CheckpointInfo, read_info
from depth_node.config.network import NetworkConfig
from depth_node.config.street import StreetConfig
from depth_node.config.training import AugmentConfig, LossConfig, TrainConfig
from depth_node.datasets.sample import Sample
from depth_node.geometry.pose import transform_from_axis_angle
from depth_node.simulation import rig
from depth_node.simulation.drive import render
from depth_node.training.learnt_focal import LearntFocalLength
from depth_node.training.module import SelfSupervisedModule

HEIGHT, WIDTH, STEPS = 64, 192, 120
TARGETS = (1, 4, 7)
TRUE_SHARE = 0.58
GUESS = TrainingCamera(WIDTH, HEIGHT, 100.0, 100.0, 95.5, 31.5)


class ExactDepth(nn.Module):
    """Stands for a depth network that has learnt everything."""

    def __init__(self, network: NetworkConfig, depth: Tensor) -> None:
        super().__init__()
        self.config, self.guidance = network, None
        near, far = 1 / network.min_depth, 1 / network.max_depth
        self.disparity = (1 / depth.clamp(network.min_depth, network.max_depth) - far) / (near - far)
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, image: Tensor, scales: int, maps: None) -> list[Tensor]:
        return [self.disparity + 0 * self.weight]


class FreeMotion(nn.Module):
    """Stands for a pose network: six numbers for each pair, at first no motion."""

    def __init__(self, targets: int) -> None:
        super().__init__()
        self.motion = nn.Parameter(torch.zeros(targets, 2, 6))

    def forward(self, target: Tensor, sources: Tensor, offsets: tuple[int, ...]) -> Tensor:
        return transform_from_axis_angle(0.1 * self.motion[..., :3], self.motion[..., 3:])


@pytest.fixture(scope="module")
def street():
    """Pictures of a winding drive with nothing that moves, their depth, and the true intrinsics."""
    config = StreetConfig(
        seed=3, frames=TARGETS[-1] + 2, width=WIDTH, height=HEIGHT, focal=TRUE_SHARE, curvature=1.5, weave=1.5,
        weave_length=30.0, lead_car=False, traffic=0.0, lidar=False, workers=1,
    )  # fmt: skip
    frames = list(render(config))
    pictures = torch.stack([torch.from_numpy(frame.picture.rgb.copy()) for frame in frames])
    depth = torch.stack([torch.from_numpy(frames[index].picture.depth) for index in TARGETS])[:, None]
    return pictures, depth.float(), torch.from_numpy(rig.intrinsics(config)).float()


def learn(street, error: float) -> float:
    """How wrong the focal length is in the end, as a share, where it was so wrong at first."""
    pictures, depth, K = street
    network = NetworkConfig(height=HEIGHT, width=WIDTH, learn_intrinsics=True, pose="posenet")
    quiet = AugmentConfig(flip=0.0, jitter=0.0)
    loss = LossConfig(scales=1, smoothness=0.0, auto_mask=False)
    config = TrainConfig(
        pretrained=False, pose_learning_rate=0.05, intrinsics_learning_rate=0.05, loss=loss, augment=quiet
    )
    module = SelfSupervisedModule(network, config)
    module.depth, module.pose = ExactDepth(network, depth), FreeMotion(len(TARGETS))
    optimizer, rates = module.optimizer(STEPS, 0)
    guess = K * torch.tensor([[1 + error], [1 + error], [1]])
    guess[:2, 2] = K[:2, 2]
    chosen = list(TARGETS)
    sources = torch.stack([pictures[[i - 1 for i in chosen]], pictures[[i + 1 for i in chosen]]], 1)
    count = len(chosen)
    batch = Sample(
        pictures[chosen], sources, guess.expand(count, 3, 3), torch.arange(count),
        torch.full((count, 2), torch.nan), torch.full((count,), torch.nan), torch.zeros(count, dtype=torch.bool),
    )  # fmt: skip
    for step in range(STEPS):
        total, terms = module.training_step(batch, step)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        rates.step()
    assert terms["focal"] == pytest.approx(module.focal.factor, rel=0.01)
    return module.focal.factor * (1 + error) - 1


@pytest.mark.parametrize("error", [0.25, -0.25])
def test_the_focal_length_is_found_within_five_percent(street, error):
    assert abs(learn(street, error)) < 0.05


def test_only_focal_lengths_change():
    focal = LearntFocalLength()
    focal.log_factor.data.fill_(0.5)
    K = torch.tensor([[100.0, 0, 95.5], [0, 90, 31.5], [0, 0, 1]]).expand(2, 3, 3)
    learnt, factor = focal(K), focal.factor
    torch.testing.assert_close(learnt[1], torch.tensor([[100.0 * factor, 0, 95.5], [0, 90 * factor, 31.5], [0, 0, 1]]))
    assert focal.camera(GUESS) == GUESS._replace(fx=pytest.approx(100 * factor), fy=pytest.approx(100 * factor))
    learnt.sum().backward()
    assert focal.log_factor.grad != 0


def test_a_run_goes_on_from_what_another_has_learnt():
    learnt = CheckpointInfo(NetworkConfig(learn_intrinsics=True), GUESS._replace(width=384, fx=150.0))
    for info, factor in ((learnt, 0.75), (dataclasses.replace(learnt, network=NetworkConfig()), 1.0)):
        focal = LearntFocalLength()
        focal.start_from(info, GUESS)
        assert focal.factor == pytest.approx(factor)


def test_a_checkpoint_has_the_learnt_camera(tmp_path):
    network = NetworkConfig(height=HEIGHT, width=WIDTH, learn_intrinsics=True, pose="posenet")
    module = SelfSupervisedModule(network, TrainConfig(pretrained=False), info=CheckpointInfo(network, GUESS))
    module.focal.log_factor.data.fill_(0.1)
    module.save(tmp_path / "run.safetensors", 3, {})
    info = read_info(tmp_path / "run.safetensors")
    assert info.camera.fx == pytest.approx(GUESS.fx * module.focal.factor)
    assert (info.camera.cx, info.network.learn_intrinsics) == (GUESS.cx, True)
