# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of PackNet-SfM: one *.ckpt (older: *.pth.tar) with everything (docs/papers.md, Official checkpoints)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from depth_node.checkpoints.importing import names
from depth_node.checkpoints.importing.folder import CLASSIFIER, DEPTH_RANGE, resnet_architecture
from depth_node.checkpoints.importing.found import Found, entry, network_config
from depth_node.checkpoints.importing.state import State, take
from depth_node.checkpoints.importing.torch_file import TorchFile
from depth_node.config.importing import ImportConfig
from depth_node.errors import CheckpointError
from depth_node.networks.factory import build_depth_network
from depth_node.networks.packnet import NEAREST_DEPTH
from depth_node.networks.pose import PoseNet, PoseNetwork

PACKNET_RANGE = (NEAREST_DEPTH, 1e6)
"""PackNet's inverse depth goes down to zero, cut off at 1e-6."""
DEPTH_NETWORK = ("depth_net.", "disp_network.")
POSE_NETWORK = ("pose_net.", "pose_network.")
"""A network's name today and in older files; what stands before it changes."""
POSENET_HEAD = (12, 256, 1, 1)
DROPOUT = "conv3.0"
"""With dropout, the shortcut convolution is the first of two modules."""


def import_checkpoint(path: Path, config: ImportConfig) -> Found:
    """Read a checkpoint file.

    Args:
        path: *.ckpt or *.pth.tar.
        config: what the user gave.

    Raises:
        CheckpointError: the file is damaged, refused, or holds no network known here.
        ConfigError: the input size or depth range cannot be used.
    """
    with TorchFile(path) as file:
        content = file.content
        state = State(file, _dictionary(entry(content, "state_dict")))
        weights = state.part(lambda name: _behind(name, DEPTH_NETWORK))
        architecture = _architecture(weights, state, path)
        if config.family not in ("auto", "packnet_sfm"):
            raise CheckpointError(f"{path} is a checkpoint of PackNet-SfM, not of {config.family}")
        plain = architecture == "packnet01"
        size = _size(entry(content, "config", "datasets", "augmentation", "image_shape"))
        network = network_config(config, path, architecture, size, PACKNET_RANGE if plain else DEPTH_RANGE)
        pose, notes = read_pose(state.part(lambda name: _behind(name, POSE_NETWORK)))
        depth = build_depth_network(dataclasses.replace(network, pose="posenet" if pose else network.pose))
        if plain:
            take(depth, "", names.packnet(depth), weights)
        else:
            encoder = weights.part(lambda name: _within(name, "encoder."))
            take(depth, "encoder.", names.resnet_encoder(depth), encoder, CLASSIFIER)
            decoder = weights.part(lambda name: _within(name, "decoder."))
            take(depth, "decoder.", names.monodepth2_decoder(depth), decoder)
    return Found("packnet_sfm", depth, pose, notes)


def _behind(name: str, networks: tuple[str, ...]) -> str | None:
    for network in networks:
        if network in name:
            inner = name.partition(network)[2]
            shortcut, _, last = inner.rpartition(".")
            return f"{shortcut.removesuffix('.0')}.{last}" if shortcut.endswith("." + DROPOUT) else inner
    return None


def _within(name: str, part: str) -> str | None:
    return name.removeprefix(part) if name.startswith(part) else None


def _architecture(weights: State, state: State, path: Path) -> str:
    if not state.tensors:
        held = "monodepth2 and HR-Depth are folders, name that" if _is_half(state) else "it has no state_dict"
        raise CheckpointError(f"{path} is no checkpoint of PackNet-SfM: {held}")
    if weights.has("pre_calc."):
        return "packnet01"
    if weights.has("encoder.encoder.layer1."):
        return resnet_architecture(weights, "encoder.encoder.")
    raise CheckpointError(f"{path} holds no depth network known here (PackNet01, or DepthResNet with 18 or 50 layers)")


def _is_half(state: State) -> bool:
    return State(state.file, _dictionary(state.file.content)).tensors != {}


def _dictionary(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _size(shape: Any) -> tuple[Any, Any]:
    if isinstance(shape, (list, tuple)) and len(shape) == 2:
        return shape[0], shape[1]
    return None, None


def read_pose(state: State) -> tuple[PoseNetwork | None, tuple[str, ...]]:
    """The pose network of a checkpoint, or None with a note where it has another one than ours."""
    if not state.tensors:
        return None, ()
    if state.has("encoder.encoder."):
        return None, (
            "the pose network is left out: PoseResNet turns its output into a motion in another way than ours",
        )
    if state.shape("pose_pred.weight") != POSENET_HEAD:
        return None, ("the pose network is left out: it is no PoseNet with two reference frames",)
    pose = PoseNet()
    take(pose, "", names.posenet(pose), state)
    return pose, ()
