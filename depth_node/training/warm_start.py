# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Starting from trained weights instead of afresh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from depth_node.checkpoints.depth import Checkpoint, load_checkpoint, read_info
from depth_node.config.network import NetworkConfig
from depth_node.config.training import TrainConfig
from depth_node.errors import TrainingError
from depth_node.networks.factory import DepthNetwork
from depth_node.networks.pose import PoseNetwork
from depth_node.networks.semantic import SemanticNetwork, fingerprint
from depth_node.training.frozen_networks import FrozenSemantics


def as_in(checkpoint: str | Path, network: NetworkConfig) -> NetworkConfig:
    """The network with what the weights of a checkpoint decide: the order of MobileNetV3's operations.

    Raises:
        CheckpointError: the file cannot be read.
    """
    return replace(network, timm_se_order=read_info(checkpoint).network.timm_se_order)


def warm_start(depth: DepthNetwork, pose: PoseNetwork, semantics: FrozenSemantics | None, config: TrainConfig) -> None:
    """Load the weights that `config.initial` and `config.initial_pose` name.

    A guided network may start from one without guidance: its pixel-adaptive layers then begin by passing their
    input through. The pose network is taken wherever it is of the same kind.

    Raises:
        CheckpointError: a file cannot be read.
        TrainingError: a checkpoint does not fit the networks.
    """
    if config.initial:
        checkpoint = load_checkpoint(config.initial)
        start_depth(depth, checkpoint, semantics.network if semantics else None, Path(config.initial))
        if checkpoint.pose is not None and checkpoint.info.network.pose == depth.config.pose:
            pose.load_state_dict(checkpoint.pose.state_dict())
    if config.initial_pose:
        checkpoint = load_checkpoint(config.initial_pose)
        if checkpoint.pose is None or checkpoint.info.network.pose != depth.config.pose:
            raise TrainingError(
                f"{config.initial_pose} holds no {depth.config.pose} network: name a last.safetensors of a run with it"
            )
        pose.load_state_dict(checkpoint.pose.state_dict())


def start_depth(depth: DepthNetwork, start: Checkpoint, semantic: SemanticNetwork | None, path: Path) -> None:
    """Give a depth network the weights of a checkpoint; its input size may be another.

    Args:
        depth: takes the weights.
        start: gives them.
        semantic: the network that guides `depth`.
        path: of the checkpoint, for messages.

    Raises:
        TrainingError: the two are different networks.
    """
    theirs, ours = start.info.network, depth.config
    if theirs.architecture != ours.architecture:
        raise TrainingError(
            f"{path} holds a {theirs.architecture}, this run trains a {ours.architecture}: "
            "choose the same --network.architecture"
        )
    if theirs.encoder != ours.encoder:
        wanted = f"add --network.encoder {theirs.encoder}" if theirs.encoder else "leave out --network.encoder"
        raise TrainingError(f"{path} has another encoder than this run: {wanted}")
    if theirs.timm_se_order != ours.timm_se_order:
        raise TrainingError(
            f"{path} and this network differ in timm_se_order: add --no_pretrained "
            f"--{'' if theirs.timm_se_order else 'no_'}network.timm_se_order"
        )
    if (theirs.min_depth, theirs.max_depth) != (ours.min_depth, ours.max_depth):
        raise TrainingError(
            f"{path} was trained for other depths: add --network.min_depth {theirs.min_depth:g} "
            f"--network.max_depth {theirs.max_depth:g}"
        )
    if theirs.guided and not ours.guided:
        raise TrainingError(f"{path} is guided, this network is not: add --network.guided")
    if theirs.guided:
        if theirs.guidance != ours.guidance:
            raise TrainingError(f"{path} was guided by {theirs.guidance}: choose the same --network.guidance settings")
        if start.semantic and semantic and fingerprint(start.semantic) != fingerprint(semantic):
            raise TrainingError(f"{path} was guided by another semantic network: leave --semantic out to keep its own")
        depth.load_state_dict(start.depth.state_dict())
        return
    depth.encoder.load_state_dict(start.depth.encoder.state_dict())
    depth.decoder.load_state_dict(start.depth.decoder.state_dict())
    if depth.guidance is not None:
        depth.guidance.start_as_identity()
