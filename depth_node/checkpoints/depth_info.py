# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint says about itself, and its JSON form."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from depth_node import __version__
from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.container import read_container
from depth_node.checkpoints.semantic_info import SemanticInfo
from depth_node.config.network import NetworkConfig
from depth_node.config.setting import build, values
from depth_node.distributed import is_first
from depth_node.errors import CheckpointError, ConfigError, first_line

METADATA_KEY = "depth_node"
FORMAT = 2
"""Raised whenever older versions could no longer read what is written."""


logger = logging.getLogger(__name__)
_WARNED: set[Path] = set()

RESTRICTING = ("-nc", "noncommercial", "non-commercial", "non commercial", "research", "agpl")
"""Parts of the names of licences that a product cannot live with."""


@dataclass(frozen=True)
class CheckpointInfo:
    """What a checkpoint says about itself.

    Attributes:
        network: architecture, input size and depth range.
        camera: camera of the training images, when one is known.
        scale: metres per network unit; 1 where it is unknown.
        scale_source: where `scale` comes from ('none', 'lidar', 'odometry', 'camera_height', 'ground_truth' ...).
        semantic: the semantic network that comes along, with its classes; None without one.
        package_version: version of depth_node that wrote the file.
        training: summary of the training run, JSON values only.
        licence: what may be done with weights that others published, or that training went on from; empty where it
            is not said.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    camera: TrainingCamera | None = None
    scale: float = 1.0
    scale_source: str = "none"
    semantic: SemanticInfo | None = None
    package_version: str = __version__
    training: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""

    @property
    def restricted(self) -> bool:
        """Whether the licence is one that a product cannot live with."""
        return is_restricted(self.licence)

    def with_training(self, **summary: Any) -> CheckpointInfo:
        """The same description with another training summary."""
        return dataclasses.replace(self, training=summary)


def is_restricted(licence: str) -> bool:
    """Whether a licence, by its name, forbids commercial use or asks for more than a notice."""
    return any(word in licence.lower() for word in RESTRICTING)


def warn_if_restricted(path: Path, info: CheckpointInfo) -> None:
    """Say once which licence weights are under that a product cannot live with."""
    if info.restricted and path not in _WARNED and is_first():
        _WARNED.add(path)
        logger.warning("%s: %s", path.name, info.licence)


def to_json(info: CheckpointInfo) -> str:
    """The description as stored; raises CheckpointError where the training summary is not JSON."""
    record = {
        "format": FORMAT,
        "network": values(info.network),
        "camera": info.camera._asdict() if info.camera else None,
        "scale": info.scale,
        "scale_source": info.scale_source,
        "semantic": info.semantic.record() if info.semantic else None,
        "package_version": info.package_version,
        "training": dict(info.training),
        "licence": info.licence,
    }
    try:
        return json.dumps(record)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"the training summary cannot be stored as JSON: {first_line(error)}") from error


def read_info(path: str | Path) -> CheckpointInfo:
    """The description of a checkpoint file, or of a shipped one by name; raises CheckpointError."""
    path = located(path)
    metadata, _ = read_container(path, with_tensors=False)
    return from_json(metadata.get(METADATA_KEY), path)


def from_json(text: str | None, path: Path) -> CheckpointInfo:
    """Read a stored description.

    Args:
        text: what `to_json` wrote, or None where the file has no such entry.
        path: the checkpoint, for the message.

    Raises:
        CheckpointError: there is no description, it is malformed, or a newer version wrote it.
    """
    if text is None:
        raise CheckpointError(f"{path} holds weights but no depth_node description: it was not written by depth_node")
    try:
        record = json.loads(text)
        if record["format"] > FORMAT:
            raise CheckpointError(
                f"{path} was written by depth_node {record.get('package_version', '?')} in format {record['format']}, "
                f"this version {__version__} reads up to {FORMAT}: upgrade depth_node"
            )
        camera = record["camera"]
        semantic = record.get("semantic")  # format 1 had none
        return CheckpointInfo(
            network=build(NetworkConfig, record["network"]),
            camera=TrainingCamera(**camera) if camera else None,
            scale=float(record["scale"]),
            scale_source=str(record["scale_source"]),
            semantic=SemanticInfo.of(semantic) if semantic else None,
            package_version=str(record["package_version"]),
            training=dict(record["training"]),
            licence=str(record.get("licence") or ""),  # earlier files have none
        )
    except (ConfigError, KeyError, TypeError, ValueError, AttributeError) as error:
        kind = "lacks " if isinstance(error, KeyError) else ""
        raise CheckpointError(f"{path} has a malformed description: {kind}{first_line(error)}") from error
