# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The checkpoint: one safetensors file with all weights and a JSON description that rebuilds the networks.

Tensor names start with the network's name ('depth.', 'pose.', 'semantic.'); the description is the metadata entry
`depth_node`. Nothing is ever unpickled.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.container import fill, halved, read_container, tensors_of, write_container
from depth_node.checkpoints.depth_info import (
    METADATA_KEY,
    CheckpointInfo,
    from_json,
    read_info,
    to_json,
    warn_if_restricted,
)
from depth_node.networks.factory import DepthNetwork, build_depth_network, build_pose_network
from depth_node.networks.pose import PoseNetwork
from depth_node.networks.semantic import SemanticNetwork

__all__ = [
    "METADATA_KEY",
    "Checkpoint",
    "CheckpointInfo",
    "load_checkpoint",
    "read_info",
    "restate",
    "save_checkpoint",
]


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint; the networks are in evaluation mode on the CPU, the semantic one is frozen."""

    info: CheckpointInfo
    depth: DepthNetwork
    pose: PoseNetwork | None = None
    semantic: SemanticNetwork | None = None


def save_checkpoint(
    path: str | Path,
    info: CheckpointInfo,
    depth: DepthNetwork,
    pose: PoseNetwork | None = None,
    semantic: SemanticNetwork | None = None,
    half: bool = False,
) -> None:
    """Write a checkpoint: the whole file appears at once or not at all.

    Args:
        path: file to write, by convention *.safetensors; missing folders are made.
        info: its description; `network` is taken from `depth.config`, which knows best.
        depth: depth network, on any device.
        pose: pose network, so that training can go on from here.
        semantic: the frozen semantic network; `info.semantic` describes it.
        half: store weights in half precision, at half the size; loading widens them again.

    Raises:
        CheckpointError: the file cannot be written, or `info.training` is not JSON.
        ValueError: a semantic network without its description, or the other way round.
    """
    if (semantic is None) != (info.semantic is None):
        raise ValueError("a checkpoint has a semantic network and its description, or neither")
    networks = {"depth.": depth, "pose.": pose, "semantic.": semantic}
    tensors: dict[str, Tensor] = {}
    for prefix, network in networks.items():
        if network is not None:
            tensors |= tensors_of(prefix, network)
    if half:
        tensors = halved(tensors)
    text = to_json(dataclasses.replace(info, network=depth.config))
    write_container(Path(path), METADATA_KEY, text, tensors)


def restate(path: str | Path, info: CheckpointInfo, output: str | Path | None = None) -> None:
    """Give a checkpoint, or its copy `output`, another description and keep the weights; raises CheckpointError."""
    _, tensors = read_container(Path(path))
    write_container(Path(output or path), METADATA_KEY, to_json(info), tensors)


def load_checkpoint(path: str | Path, with_pose: bool = True) -> Checkpoint:
    """Rebuild the networks of a checkpoint.

    Args:
        path: a file written by `save_checkpoint`, or the name of a shipped or published one.
        with_pose: also rebuild the pose network, when the file has one.

    Returns:
        Networks in evaluation mode, float32, on the CPU, bit-equal to those saved.

    Raises:
        CheckpointError: the file is missing, damaged, not a depth_node checkpoint, too new, or does not fit
            the network that it names.
    """
    path = located(path)
    metadata, tensors = read_container(path)
    info = from_json(metadata.get(METADATA_KEY), path)
    warn_if_restricted(path, info)
    semantic = None
    if info.semantic is not None:
        semantic = SemanticNetwork(info.semantic.config, info.semantic.classes)
        fill(semantic, tensors, "semantic.", path)
        semantic.freeze()
    depth = build_depth_network(info.network, semantic_channels=semantic.channels if semantic else ())
    fill(depth, tensors, "depth.", path)
    pose = None
    if with_pose and any(name.startswith("pose.") for name in tensors):
        pose = build_pose_network(info.network)
        fill(pose, tensors, "pose.", path)
        pose.eval()
    return Checkpoint(info, depth.eval(), pose, semantic)
