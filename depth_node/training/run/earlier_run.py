# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The settings of a run that is resumed, and which of them may be others now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from depth_node.config.recipes import read_settings_file
from depth_node.errors import ConfigError

SETTINGS_FILE, ORIGIN_FILE = "config.yaml", "run.json"
TWO_STAGE_FILE, STAGE_1 = "two_stage.json", "stage1"
"""What tells a two-stage run's folder from another run's."""

LENGTH = {"steps", "epochs"}
RATES = {
    "learning_rate",
    "pose_learning_rate",
    "intrinsics_learning_rate",
    "decay",
    "decay_at",
    "decay_factor",
    "decay_repeats",
    "weight_decay",
}
MACHINE = {"precision", "device", "workers", "cache", "sync_batch_norm", "log_every", "save_every", "worlds.workers"}
READ_AT_START = {"pretrained", "initial", "initial_pose"}
MAY_HAVE_MOVED = {"semantic", "distillation.teacher"}
REPORT = {"resampling.worst", "resampling.workers", "resampling.device", "resampling.keep_at_least"}
MAY_CHANGE = LENGTH | RATES | {"clip_gradient"} | MACHINE | READ_AT_START | MAY_HAVE_MOVED | REPORT
"""Whatever else differs makes another run."""


def read_starts(folder: Path) -> list[Any]:
    """What each start of a run has said of itself (`origin.origin`); a damaged record is no reason not to train."""
    try:
        return list(json.loads((folder / ORIGIN_FILE).read_text(encoding="utf-8"))["starts"])
    except (ValueError, KeyError, TypeError, OSError):
        return []


def check_settings(folder: Path, now: Mapping[str, Any]) -> None:
    """See that a run goes on with the settings it was started with.

    Args:
        folder: the run folder; without settings in it nothing is checked.
        now: dotted name to value.

    Raises:
        ConfigError: one has changed that makes it another run.
    """
    path = folder / SETTINGS_FILE
    if not path.is_file():
        return
    before = read_settings_file(str(path))
    changed = [name for name in now if name not in MAY_CHANGE and before.get(name, now[name]) != now[name]]
    if changed:
        differences = ", ".join(f"{name} {before[name]} (now {now[name]})" for name in changed)
        raise ConfigError(
            f"{folder} was started with {differences}: leave that out to go on as it began, or start another run with "
            "another --output (--initial gives it this one's weights)"
        )
