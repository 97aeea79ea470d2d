# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One night, step by step; what is done is noted, so that a night that was ended goes on where it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.atomic_file import replacing
from depth_node.checkpoints.depth_info import CheckpointInfo, read_info
from depth_node.config.improve import ImproveConfig
from depth_node.config.resampling import ResamplingConfig
from depth_node.config.training import TrainConfig
from depth_node.datasets.triplets import TripletDataset, open_splits, split_references
from depth_node.errors import TrainingError
from depth_node.evaluation.scale import store_scale
from depth_node.improvement.comparison import (
    Measured,
    Pair,
    compare_on_pairs,
    compare_on_truth,
    pairs_of,
    unit_ratio,
)
from depth_node.improvement.decision import NEW, OLDER, Verdict, decide
from depth_node.improvement.night_page import side_by_side
from depth_node.improvement.poison import reasons_to_refuse
from depth_node.improvement.replay import with_replay
from depth_node.inference.estimator import DepthEstimator
from depth_node.kitti.layout import TRAIN_SPLIT, VAL_SPLIT
from depth_node.kitti.search import find_sequences
from depth_node.resampling.run import resample_with_progress
from depth_node.training.fit import fit

STATE_FILE, PROMOTED_FILE = "improve.json", "promoted.safetensors"
SHOWN = 3
"""Pictures for people."""
RECORDED, RUN, RESAMPLED, SECOND_RUN = "recorded", "run", "resampled", "run2"
Parts = tuple[TripletDataset, TripletDataset | None]
"""Triplets to learn from, and those that are held back."""
FEW_LEFT_OUT = 0.01
"""Share of frames that may be pushed to infinity without another training."""


@dataclass(frozen=True)
class Night:
    """What a night is made of.

    Attributes:
        start: the present checkpoint.
        older: folders of older recordings.
        folder: gets the recording, the runs and the outcome.
        config: what is refused and what is better.
        training: how to train.
    """

    start: Path
    older: tuple[Path, ...]
    folder: Path
    config: ImproveConfig
    training: TrainConfig

    def run(self, record: Callable[[Path], object]) -> Verdict:
        """Do what is not done yet.

        Args:
            record: writes the bags as a recording into a folder; does nothing where that is done.

        Raises:
            TrainingError: the folder is that of another night, or training cannot go on.
            DepthNodeError: bags, checkpoint or older recordings cannot be read.
        """
        done = self._begin()
        for folder in self.older:
            list(find_sequences(folder))  # before hours of work
        recorded = self.folder / RECORDED
        record(recorded)
        done = self._note(done, **self._asked())
        if "verdict" in done:
            return _verdict(done["verdict"])
        reasons = reasons_to_refuse(recorded, self.older, self.config)
        if reasons:
            return self._end(done, Verdict(False, f"refused: {reasons[0]}" + _more(reasons)))
        if "trained" not in done:
            done = self._note(done, trained=str(self._train().relative_to(self.folder)))
        new = self.folder / done["trained"]
        if "scaled" not in done:
            done = self._note(done, scaled=self._keep_metres(new))
        verdict = decide(self.compare(new), self.config)
        if verdict.promoted:
            self._promote(new)
        return self._end(done, verdict)

    def _begin(self) -> dict[str, Any]:
        """What is done; raises TrainingError where it belongs to another night."""
        state = self.folder / STATE_FILE
        if not state.exists():
            return {}
        try:
            done = dict(json.loads(state.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise TrainingError(f"{state} is damaged: choose another --output") from None
        if {name: done.get(name) for name in self._asked()} != self._asked():
            raise TrainingError(f"{self.folder} is a night from another checkpoint: choose another --output")
        return done

    def _asked(self) -> dict[str, Any]:
        """What makes this night and no other."""
        return {"start": str(self.start.resolve()), "older": [str(folder.resolve()) for folder in self.older]}

    def _train(self) -> Path:
        first = fit(*self._triplets(self._recorded), self._present.network, self.training, self.folder / RUN, None)
        if not self.config.resample:
            return first
        recorded = self.folder / RECORDED
        judging = replace(ResamplingConfig(), device=self.training.device, workers=self.training.workers)
        train, val = split_references(recorded)
        report = resample_with_progress(first, recorded, train, val, judging, self.folder / RESAMPLED)
        if report is None or report.dropped <= FEW_LEFT_OUT * len(train):
            return first
        kept = self._triplets(self._open(recorded, self.folder / RESAMPLED))
        return fit(*kept, self._present.network, self.training, self.folder / SECOND_RUN, None)

    @cached_property
    def _present(self) -> CheckpointInfo:
        return read_info(self.start)

    @cached_property
    def _recorded(self) -> Parts:
        return self._open(self.folder / RECORDED)

    @cached_property
    def _before(self) -> list[Parts]:
        return [self._open(folder) for folder in self.older]

    def _open(self, folder: Path, splits: Path | None = None) -> Parts:
        network = self._present.network
        return open_splits(folder, network.height, network.width, splits)

    def _triplets(self, new: Parts) -> Parts:
        """New triplets with older ones among them, to learn from and to choose the best save by."""
        train, val = new
        share, seed = self.config.replay_share, self.training.seed
        mixed = with_replay(train, [part[0] for part in self._before], share, seed)
        held = [part[1] for part in self._before if part[1] is not None]
        return mixed, with_replay(val, held, share, seed) if val is not None else None

    def _pairs(self, parts: Sequence[Parts], most: int) -> list[Pair]:
        """Pairs of pictures among what is held back."""
        return pairs_of([target for _, held in parts if held is not None for target in held.targets], most)

    def _keep_metres(self, new: Path) -> float:
        """Give the new network the present one's metres, which learning from video alone has no part in."""
        source = self._present.scale_source
        if source == "none" or read_info(new).scale_source != "none":
            return 1.0
        pairs = self._pairs([self._recorded], self.config.pairs)
        ratio = unit_ratio(self._now, self._estimator(new), pairs)
        store_scale(new, ratio, source)
        return ratio

    def compare(self, new: Path) -> list[Measured]:
        """Errors of both networks on what neither has learnt from."""
        estimators = self._now, self._estimator(new)
        measured: list[Measured] = []
        recorded = self.folder / RECORDED
        for where, folders, parts in ((NEW, (recorded,), [self._recorded]), (OLDER, self.older, self._before)):
            pairs = self._pairs(parts, self.config.pairs)
            if pairs:
                measured += compare_on_pairs(*estimators, pairs, where)
            for folder in folders:
                if (folder / VAL_SPLIT).is_file():
                    measured += compare_on_truth(*estimators, folder, folder / VAL_SPLIT, where, self.config.pairs)
        if not any(each.where == NEW for each in measured):
            raise TrainingError(f"{recorded / TRAIN_SPLIT.parent} holds back no two pictures in a row")
        return measured

    def pictures(self) -> list[NDArray[np.uint8]]:
        """Some held-back pictures with the depth of both networks."""
        new = self.folder / self._begin()["trained"]
        return side_by_side(self._now, self._estimator(new), self._pairs([self._recorded], SHOWN))

    @cached_property
    def _now(self) -> DepthEstimator:
        """The present network."""
        return self._estimator(self.start)

    def _estimator(self, path: Path) -> DepthEstimator:
        return DepthEstimator.from_checkpoint(path, device=self.training.device)

    def _promote(self, new: Path) -> None:
        with replacing(self.folder / PROMOTED_FILE) as temporary:
            shutil.copyfile(new, temporary)

    def _end(self, done: dict[str, Any], verdict: Verdict) -> Verdict:
        self._note(done, verdict=asdict(verdict))
        return verdict

    def _note(self, done: dict[str, Any], **more: Any) -> dict[str, Any]:
        done = done | more
        with replacing(self.folder / STATE_FILE) as temporary:
            temporary.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
        return done


def _more(reasons: Sequence[str]) -> str:
    return f" (and {len(reasons) - 1} more: {'; '.join(reasons[1:])})" if len(reasons) > 1 else ""


def _verdict(record: dict[str, Any]) -> Verdict:
    measured = tuple(Measured(**each) for each in record["measured"])
    return Verdict(bool(record["promoted"]), str(record["sentence"]), measured)
