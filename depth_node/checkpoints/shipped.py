# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The checkpoints that come with the package, by name; each has a model card in `weights/README.md`."""

from __future__ import annotations

from pathlib import Path

from depth_node.errors import CheckpointError

FOLDER = Path(__file__).parents[1] / "weights"

DEFAULT, REAL = "default", "real"

SHIPPED = {
    DEFAULT: "guided_lite_hr_depth_street_640x192.safetensors",
    REAL: "lite_hr_depth_efficientnet_lite0_worlds_320x96.safetensors",
}
"""Name to file: 'default' for the simulated street, with classes; 'real' for real cameras, without."""


def shipped_file(name: str) -> Path:
    """The file of a shipped checkpoint; raises CheckpointError where it is not installed."""
    path = FOLDER / SHIPPED[name]
    if not path.is_file():
        raise CheckpointError(f"no checkpoint is installed at {path}: name one of yours")
    return path
