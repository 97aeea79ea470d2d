# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Verdicts on disk while resampling runs: an interrupted run goes on where it stopped.

One JSON line per frame in a file per process, under a key of the checkpoint's bytes and the settings that verdicts
depend on, and with the state of the frame's files: what was judged otherwise, or looked otherwise, is judged anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from depth_node import distributed
from depth_node.checkpoints.container import file_hash
from depth_node.config.resampling import ResamplingConfig
from depth_node.config.setting import values
from depth_node.errors import OutputError
from depth_node.resampling.verdict import FrameVerdict

PATTERN = ".verdicts.*.jsonl"


class Judgements:
    """The verdicts of this run and of interrupted ones before it."""

    def __init__(self, folder: Path, checkpoint: Path, root: Path, config: ResamplingConfig) -> None:
        """Read what is there.

        Args:
            folder: of the results; made if missing.
            checkpoint: that judges.
            root: folder of the drives.
            config: how it judges.

        Raises:
            OutputError: the folder cannot be written.
        """
        self._folder = folder
        neutral = ResamplingConfig()
        asked = replace(config, **{name: getattr(neutral, name) for name in ("worst", "workers", "keep_at_least")})
        weights = file_hash(checkpoint)
        self._key = hashlib.sha256(f"{weights} {root.resolve()} {values(asked)}".encode()).hexdigest()[:16]
        self._path = folder / PATTERN.replace("*", f"{distributed.rank()}of{distributed.world_size()}")
        self.found: dict[str, FrameVerdict] = {}
        self._states: dict[str, str] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.glob(PATTERN)):
                self._read(path)
        except OSError as error:
            raise OutputError(f"cannot write {folder}: {error.strerror}") from None

    def _read(self, path: Path) -> None:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError, TypeError, KeyError):  # a line cut off
                key, state, record = json.loads(line)
                if key == self._key:
                    verdict = FrameVerdict(**{**record, "normal": tuple(record["normal"])})
                    self.found[verdict.frame], self._states[verdict.frame] = verdict, state

    def hold(self, frame: str, state: str) -> bool:
        """Whether a frame was judged when its files were as they are now."""
        return self._states.get(frame) == state

    def add(self, verdicts: Iterable[FrameVerdict], states: Iterable[str]) -> None:
        """Keep some more, each with the state of its frame's files; raises OutputError."""
        lines = []
        for verdict, state in zip(verdicts, states, strict=True):
            self.found[verdict.frame], self._states[verdict.frame] = verdict, state
            lines.append(json.dumps([self._key, state, asdict(verdict)]) + "\n")
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(lines))
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror}") from None


def forget(folder: Path) -> None:
    """Delete the verdicts kept in a folder, once the results stand in files of their own."""
    for path in folder.glob(PATTERN):
        with suppress(OSError):
            path.unlink()
