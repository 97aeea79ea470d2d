# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How `depth bench` measures."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class BenchConfig(Validated):
    """A comparison of what computes a network on this machine's CPU."""

    width: int = setting(0, "width of the network's input; 0 takes the checkpoint's", unit="px", low=0, high=4096)
    height: int = setting(0, "height of the network's input; 0 takes the checkpoint's", unit="px", low=0, high=2048)
    rounds: int = setting(30, "timed passes of each back end, in turns", low=3, high=10000)
    busy: int = setting(0, "measure again with so many processes beside it that do nothing but run", low=0, high=256)
    compiled: bool = setting(False, "also time torch.compile; it takes a minute or more to compile")
