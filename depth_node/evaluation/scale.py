# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a measured metric scale into a checkpoint, so that the live node publishes metres."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from depth_node.checkpoints.depth import read_info, restate


def store_scale(path: Path, ratio: float, source: str) -> float:
    """Multiply a checkpoint's scale by a measured ratio, atomically and with all weights unchanged.

    Args:
        path: checkpoint to rewrite.
        ratio: median(truth) / median(prediction), the prediction made with the checkpoint's present scale.
        source: what the truth was, kept as `scale_source`.

    Returns:
        The new scale, metres per network unit.

    Raises:
        CheckpointError: the file cannot be read or written.
    """
    info = read_info(path)
    scale = info.scale * ratio
    restate(path, replace(info, scale=scale, scale_source=source))
    return scale
