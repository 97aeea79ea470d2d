# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What an importer hands over: networks with the official weights, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from depth_node.config.importing import ImportConfig
from depth_node.config.network import NetworkConfig
from depth_node.errors import CheckpointError
from depth_node.networks.factory import DepthNetwork
from depth_node.networks.pose import PoseNetwork


@dataclass(frozen=True)
class Found:
    """An official network, rebuilt.

    Attributes:
        family: whose it is, one of `config.importing.FAMILIES`.
        depth: depth network; its `config` says the rest.
        pose: pose network, where the files have one that fits ours.
        notes: what the user should know, one line each.
    """

    family: str
    depth: DepthNetwork
    pose: PoseNetwork | None = None
    notes: tuple[str, ...] = field(default=())


def network_config(
    config: ImportConfig, path: Path, architecture: str, size: tuple[Any, Any], depth_range: tuple[float, float]
) -> NetworkConfig:
    """Description of an imported network; what the user gave comes before what the files say.

    Args:
        config: what the user gave.
        path: the official file, for the message.
        architecture: see `NetworkConfig`.
        size: height and width in the file, of any type, None where it has none.
        depth_range: depth at disparity 1 and 0 that the authors use.

    Raises:
        CheckpointError: nobody says how large the input is.
        ConfigError: it is not a size that the network can take.
    """
    given = (config.height, config.width)
    height, width = (own or theirs for own, theirs in zip(given, size, strict=True))
    if type(height) is not int or type(width) is not int:
        raise CheckpointError(f"{path} does not say the input size of its network: give --height and --width")
    return NetworkConfig(
        architecture=architecture,
        height=height,
        width=width,
        min_depth=config.min_depth or depth_range[0],
        max_depth=config.max_depth or depth_range[1],
    )


def entry(content: Any, *keys: str) -> Any:
    """A nested dictionary's entry, None where any part of the way is missing."""
    for key in keys:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content
