# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the view in a browser."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class ViewConfig(Validated):
    """What of a running graph is shown, and where."""

    port: int = setting(9090, "port of the page; what it shows comes through the next one", low=1024, high=65534)
    browser: bool = setting(True, "open the page, where this machine has a screen")
    max_rate: float = setting(5.0, "frames a second that are shown of each camera", unit="Hz", low=0.1, high=100.0)
    max_points: int = setting(150_000, "points of a cloud that are shown; of larger ones every n-th", low=100)
    memory: int = setting(64, "past frames that browsers which come later get, too", unit="MB", low=16, high=100_000)
    save: str = setting("", "also record what is shown into this new file, *.rrd; `rerun FILE` opens it")
