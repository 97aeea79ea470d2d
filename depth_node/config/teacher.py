# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How the answers of a teacher that is no checkpoint of this package are to be read."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting

DEPTH, INVERSE_DEPTH = "depth", "inverse_depth"
HUB, ONNX, LABELS = "hf:", "onnx:", "labels:"
"""Beginnings of the names of teachers that are no checkpoints: models of the hub, files, what one has written."""


@dataclass(frozen=True)
class TeacherConfig(Validated):
    """A foreign depth network."""

    gives: str = setting(
        "auto",
        "what it predicts: depth in metres, or inverse depth up to an unknown factor and offset; auto asks the model",
        choices=("auto", DEPTH, INVERSE_DEPTH),
    )
    focal: float = setting(
        0.0,
        "focal length that its metres are told for: they are multiplied by the camera's, in pixels at the teacher's "
        "input, and divided by this; Depth Anything 3's 300, 0 for metres that are told for any camera",
        unit="px",
        low=0.0,
    )
    sky: float = setting(0.3, "an ONNX file's output `sky` says sky above this", low=0.0, high=1.0)
    width: int = setting(
        518, "width of the pictures it sees, where it takes any; multiples of 14 are used", unit="px", low=28, high=4096
    )
    device: str = setting("auto", "where it runs", choices=("auto", "cpu", "cuda"))
    accept_license: bool = setting(
        False, "learn from it although its licence forbids commercial use, or nothing says what its licence is"
    )
