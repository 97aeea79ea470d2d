# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Both stages of training and the resampling between them, resumable anywhere (docs/papers.md, Two-stage training)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from depth_node.atomic_file import replacing
from depth_node.config.network import NetworkConfig
from depth_node.config.resampling import ResamplingConfig
from depth_node.config.setting import values
from depth_node.config.training import TrainConfig
from depth_node.datasets.triplets import TripletDataset, split_references
from depth_node.distributed import is_first, wait_for_all
from depth_node.errors import TrainingError
from depth_node.resampling.run import resample_with_progress
from depth_node.training.fit import fit, run_settings
from depth_node.training.run.earlier_run import STAGE_1, TWO_STAGE_FILE, check_settings
from depth_node.training.run.folder import check_unused, write_config

RESAMPLED, STAGE_2 = "resampled", "stage2"

OpenTriplets = Callable[[Path | None], tuple[TripletDataset, TripletDataset | None]]
"""Gives training and validation triplets by the split files in a folder, or by the data's own (None)."""


@dataclass(frozen=True)
class TwoStageRun:
    """What both stages are made of.

    Attributes:
        root: folder of drives.
        splits: folder with the split files of stage 1; None takes the data's own.
        network: what to build, in both stages anew.
        config: how to train, in both stages alike.
        resampling: how frames are judged in between; device and workers are those of `config`.
        folder: gets `stage1`, `resampled` and `stage2`.
    """

    root: Path
    splits: Path | None
    network: NetworkConfig
    config: TrainConfig
    resampling: ResamplingConfig
    folder: Path

    def train(self, open_triplets: OpenTriplets, resume: bool | None = False) -> Path:
        """Do what is not done yet; where torchrun has started several processes, all must call it.

        Args:
            open_triplets: how triplets are read.
            resume: go on with the folder (True), refuse one in use (False), or whichever is possible (None).

        Returns:
            The checkpoint to use, of stage 2.

        Raises:
            TrainingError: the folder is in use or holds no such run, a stage cannot go on, or too few frames are left.
            ConfigError: the run was started with other settings.
        """
        done = self._begin(resume)
        # A stage that has not begun is started, one that was interrupted goes on.
        if STAGE_1 not in done:
            triplets = open_triplets(self.splits)
            first = fit(*triplets, self.network, self.config, self.folder / STAGE_1, None, self._keep_settings)
            done = self._note(done, **{STAGE_1: first.name})
        if RESAMPLED not in done:
            done = self._note(done, **{RESAMPLED: self._resample(self.folder / STAGE_1 / done[STAGE_1])})
        if STAGE_2 not in done:
            kept = open_triplets(self.folder / RESAMPLED)
            second = fit(*kept, self.network, self.config, self.folder / STAGE_2, resume=None)
            done = self._note(done, **{STAGE_2: second.name})
        return self.folder / STAGE_2 / done[STAGE_2]

    def summary(self) -> str:
        """What resampling found, a line; empty before that."""
        state = self.folder / TWO_STAGE_FILE
        return str(_read(state).get(RESAMPLED, "")) if state.exists() else ""

    def _begin(self, resume: bool | None) -> dict[str, Any]:
        state = self.folder / TWO_STAGE_FILE
        begun = state.exists() or (self.folder / STAGE_1).is_dir()
        if begun and resume is not False:
            done = _read(state) if state.exists() else {}
            judging = self._judging() if RESAMPLED in done else {}  # until frames are judged, how they are may change
            check_settings(self.folder, run_settings(self.network, self.config) | judging)
            return done
        if resume:
            raise TrainingError(f"{self.folder} holds no two-stage run to resume: start without --resume")
        check_unused(self.folder)
        wait_for_all()  # until every process has found that the folder can be used
        return {}

    def _keep_settings(self) -> None:
        write_config(self.folder, run_settings(self.network, self.config) | self._judging())

    def _judging(self) -> dict[str, Any]:
        return {f"resampling.{name}": value for name, value in values(self.resampling).items()}

    def _resample(self, checkpoint: Path) -> str:
        if is_first():
            self._keep_settings()
        config = replace(self.resampling, device=self.config.device, workers=self.config.workers)
        train, val = split_references(self.root, self.splits)
        report = resample_with_progress(checkpoint, self.root, train, val, config, self.folder / RESAMPLED)
        return report.sentence if report is not None else ""

    def _note(self, done: dict[str, Any], **more: Any) -> dict[str, Any]:
        done = done | more
        if is_first():
            with replacing(self.folder / TWO_STAGE_FILE) as temporary:
                temporary.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
        wait_for_all()
        return done


def _read(state: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(state.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise TrainingError(f"{state} is damaged: choose another --output") from None
