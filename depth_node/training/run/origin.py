# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where a run comes from: the revision of the code, the data, the command; run.json in its folder."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

import depth_node
from depth_node import __version__
from depth_node.atomic_file import replacing
from depth_node.distributed import world_size
from depth_node.errors import TrainingError
from depth_node.kitti.layout import MANIFEST
from depth_node.training.run.earlier_run import ORIGIN_FILE, read_starts

GIT_SECONDS = 10


def origin(data: dict[str, Any], places: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Version and git revision of the code, machine, command, data and where these lie, ready for JSON."""
    return {
        "version": __version__,
        **code_revision(Path(depth_node.__file__).parents[1]),
        "command": sys.argv,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "processes": world_size(),
        "data": data,
        "places": dict(places or {}),
    }


def code_revision(checkout: Path) -> dict[str, Any]:
    """`revision` and whether it was `changed` since, of a git checkout; nothing where the folder is not the top of one.

    An installed package has no revision, even where it lies somewhere inside another project's checkout.
    """
    top = _git(checkout, "rev-parse", "--show-toplevel")
    revision = _git(checkout, "rev-parse", "HEAD")
    if top is None or revision is None or Path(top).resolve() != checkout.resolve():
        return {}
    return {"revision": revision, "changed": bool(_git(checkout, "status", "--porcelain", "--untracked-files=no"))}


def describe_data(frames: Iterable[str], roots: Iterable[Path]) -> dict[str, Any]:
    """The hash of the list of frames, and of the manifest of each root that has one."""
    names = list(frames)
    listed = hashlib.sha256("".join(f"{name}\n" for name in names).encode()).hexdigest()
    manifests = {
        str(root): hashlib.sha256((root / MANIFEST).read_bytes()).hexdigest()
        for root in sorted(set(roots))
        if (root / MANIFEST).is_file()
    }
    return {"frames": len(names), "frames_sha256": listed, "manifests_sha256": manifests}


def check_data(folder: Path, data: dict[str, Any]) -> None:
    """See that a run goes on with the frames that it was started with; raises TrainingError."""
    before = [start.get("data", {}) for start in read_starts(folder) if isinstance(start, dict)]
    if before and before[-1].get("frames_sha256", data["frames_sha256"]) != data["frames_sha256"]:
        raise TrainingError(
            f"{folder} has learnt from other frames ({before[-1].get('frames')}, now {data['frames']}): give its own "
            f"--data and --splits, or start another run with --initial {folder / 'last.safetensors'}"
        )


def add_origin(folder: Path, record: dict[str, Any]) -> None:
    """Append a record to run.json: one for each start of the run; raises OutputError."""
    path = folder / ORIGIN_FILE
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({"starts": [*read_starts(folder), record]}, indent=1) + "\n", encoding="utf-8")


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, None where it is missing or fails."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=GIT_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
