# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`depth import`: official files to networks and the description that our checkpoint stores."""

from __future__ import annotations

from pathlib import Path

from depth_node.checkpoints.depth_info import CheckpointInfo
from depth_node.checkpoints.importing.archive import unpacked
from depth_node.checkpoints.importing.folder import import_folder
from depth_node.checkpoints.importing.found import Found
from depth_node.checkpoints.importing.packnet_sfm import import_checkpoint
from depth_node.config.importing import ImportConfig
from depth_node.errors import CheckpointError


def import_official(source: Path, config: ImportConfig | None = None) -> tuple[CheckpointInfo, Found]:
    """Read the official files of HR-Depth, Lite-HR-Depth, monodepth2 or PackNet-SfM. Nothing in them is run.

    Args:
        source: folder with encoder.pth and depth.pth, a *.zip of one, or a *.ckpt or *.pth.tar file.
        config: what the user knows better than the files.

    Returns:
        Description for `save_checkpoint`, and the networks in evaluation mode.

    Raises:
        CheckpointError: a file is missing, damaged, refused or of another network.
        ConfigError: the input size or depth range cannot be used.
    """
    config = config or ImportConfig()
    if not source.exists():
        raise CheckpointError(
            f"{source} does not exist: name a folder with encoder.pth and depth.pth, a *.zip of one, or a *.ckpt file"
        )
    found = _found(source, config)
    found.depth.eval()
    if found.pose is not None:
        found.pose.eval()
    info = CheckpointInfo(
        network=found.depth.config,
        scale=config.scale or 1.0,
        scale_source="given" if config.scale else "none",
        training={"imported_from": found.family, "files": source.name},
    )
    return info, found


def _found(source: Path, config: ImportConfig) -> Found:
    if source.is_dir():
        return import_folder(source, config)
    if source.suffix != ".zip":
        return import_checkpoint(source, config)
    with unpacked(source) as folder:
        return import_folder(folder, config)
