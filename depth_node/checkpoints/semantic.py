# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Semantic networks on disk: weights, architecture and class map in one safetensors file, or by name from the hub.

Tensor names start with 'semantic.', as they do in a depth checkpoint that carries a semantic network, so that either
file can be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.container import fill, halved, read_container, tensors_of, write_container
from depth_node.checkpoints.semantic_hub import is_hub_name, load_hub
from depth_node.checkpoints.semantic_info import SemanticInfo
from depth_node.config.setting import values
from depth_node.errors import CheckpointError, ConfigError, first_line
from depth_node.networks.semantic import SemanticNetwork

__all__ = ["SemanticInfo", "load_semantic", "save_semantic"]

METADATA_KEY = "depth_node_semantic"
DEPTH_METADATA_KEY = "depth_node"
PREFIX = "semantic."


def save_semantic(path: str | Path, info: SemanticInfo, network: SemanticNetwork, half: bool = False) -> None:
    """Write a semantic network: the whole file appears at once or not at all.

    Args:
        path: file to write, by convention *.safetensors; missing folders are made.
        info: its description; `config` and `classes` are taken from the network, which knows best.
        network: on any device.
        half: store weights in half precision (see `halved`), for a small file; loading widens them again.

    Raises:
        CheckpointError: the file cannot be written, or `info.training` is not JSON.
    """
    record = info.record() | {"config": values(network.config), "classes": network.classes.record()}
    try:
        text = json.dumps(record, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"the training summary cannot be stored as JSON: {first_line(error)}") from error
    tensors = tensors_of(PREFIX, network)
    if half:
        tensors = halved(tensors)
    write_container(Path(path), METADATA_KEY, text, tensors)


def load_semantic(path: str | Path) -> tuple[SemanticInfo, SemanticNetwork]:
    """Rebuild a semantic network.

    Args:
        path: a file written by `save_semantic`, a depth checkpoint that carries a semantic network, by path or name,
            or the name of a Cityscapes network on the hub, such as 'smp-hub/segformer-b0-768x768-city-160k'.

    Returns:
        Its description, and the network: frozen, in evaluation mode, float32, on the CPU.

    Raises:
        CheckpointError: the file is missing, damaged, too new or holds no semantic network, or the hub cannot be
            reached.
    """
    if is_hub_name(path):
        return load_hub(str(path))
    path = located(path)
    metadata, tensors = read_container(path)
    info = _description(metadata, path)
    try:
        network = SemanticNetwork(info.config, info.classes)
    except ConfigError as error:
        raise CheckpointError(f"{path}: {error}") from error
    fill(network, tensors, PREFIX, path)
    return info, network.freeze()


def _description(metadata: Mapping[str, str], path: Path) -> SemanticInfo:
    try:
        if METADATA_KEY in metadata:
            record = json.loads(metadata[METADATA_KEY])
        elif DEPTH_METADATA_KEY in metadata:
            record = json.loads(metadata[DEPTH_METADATA_KEY]).get("semantic")
            if record is None:
                raise CheckpointError(f"{path} is a depth checkpoint without a semantic network: name a guided one")
        else:
            raise CheckpointError(f"{path} holds weights but no description: it was not written by depth_node")
        return SemanticInfo.of(record)
    except (ConfigError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: {first_line(error)}") from error
