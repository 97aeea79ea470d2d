# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the recorder node: the recorder's settings, what to read and where to write."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.record import RecordConfig
from depth_node.config.setting import setting


@dataclass(frozen=True)
class RecorderNodeConfig(RecordConfig):
    """`RecordConfig` plus input and output, which are arguments on the command line."""

    bags: tuple[str, ...] = setting(("",), "bag folders, .mcap, .db3 or (of ROS 1) .bag files, or folders of those")
    output: str = setting("", "sequence folder to write; new or empty, or of an interrupted recording")
