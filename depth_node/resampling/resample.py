# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Judges every training frame, drops those with objects below the ground (docs/papers.md, Two-stage training)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Subset

from depth_node import distributed
from depth_node.atomic_file import replacing
from depth_node.config.resampling import ResamplingConfig
from depth_node.errors import SequenceError, TrainingError
from depth_node.kitti.layout import TRAIN_SPLIT, VAL_SPLIT, FrameReference, write_split
from depth_node.resampling.below_ground import GEOMETRIC, LABELS, NETWORK, OTHER_FRAMES, check_against, check_ground
from depth_node.resampling.frame_dataset import FramePictures, Pictures
from depth_node.resampling.judgements import Judgements
from depth_node.resampling.predictor import DepthPredictor
from depth_node.resampling.usual_plane import UsualPlanes
from depth_node.resampling.verdict import FrameVerdict, ResampleReport, judge

Progress = Callable[[int, int], None]
"""Called with frames done and all frames of this process; frames looked at a second time count twice."""


def resample(
    checkpoint: Path,
    root: Path,
    references: Sequence[FrameReference],
    config: ResamplingConfig,
    folder: Path,
    progress: Progress | None = None,
) -> ResampleReport | None:
    """Judge frames; several processes, started by torchrun, share the work.

    Args:
        checkpoint: the network of stage 1.
        root: folder that the drives are relative to.
        references: the training frames.
        config: how to judge.
        folder: of the results. Verdicts are kept there until `write_results`, so that an interrupted run goes on.
        progress: told after every batch; None where nobody asks.

    Returns:
        The report in the first process, None in the others.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        SequenceError: there is no frame, or one cannot be read.
        ConfigError: the device is not there.
        OutputError: the folder cannot be written.
    """
    if not references:
        raise SequenceError(f"no training frame under {root}: a drive needs at least 3 pictures in a row")
    predictor = DepthPredictor(checkpoint, config)
    frames = FramePictures(root, references, predictor.height, predictor.width, config)
    judgements = Judgements(folder, checkpoint, root, config)
    share = distributed.my_share(range(len(references)))
    states = {place: frames.state(place) for place in share}
    left = [place for place in share if not judgements.hold(str(references[place]), states[place])]
    done = len(share) - len(left)
    for places, batch in _batches(frames, left, config):
        verdicts = _judge(predictor, batch, [references[place] for place in places], config)
        judgements.add(verdicts, [states[place] for place in places])
        done += len(places)
        if progress is not None:
            progress(done, len(share))
    known = distributed.exchange([judgements.found[str(references[place])] for place in share])
    final = distributed.gather(_judge_the_rest(predictor, frames, known, references, config, progress))
    if final is None:
        return None
    size = (predictor.height, predictor.width)
    return ResampleReport(checkpoint.name, tuple(final), tuple(references), size, config)


def write_splits(report: ResampleReport, val: Sequence[FrameReference], folder: Path) -> None:
    """Write the split files of stage 2, in monodepth2's format.

    Args:
        report: which frames are kept.
        val: validation frames, passed on as they are.
        folder: gets train_files.txt and val_files.txt.

    Raises:
        TrainingError: hardly any frame would be left.
        OutputError: a file cannot be written.
    """
    share = len(report.kept) / len(report.verdicts)
    if share < report.config.keep_at_least:
        raise TrainingError(
            f"only {share:.0%} of the frames would be left: train stage 1 longer, raise --threshold or --slope, or "
            "lower --keep_at_least"
        )
    for name, references in ((TRAIN_SPLIT.name, report.kept), (VAL_SPLIT.name, val)):
        with replacing(folder / name) as temporary:
            write_split(temporary, references)


def _batches(
    frames: FramePictures, places: Sequence[int], config: ResamplingConfig
) -> Iterator[tuple[Sequence[int], Pictures]]:
    """Pictures of the frames at these places, each batch with its places."""
    loader: DataLoader[Pictures] = DataLoader(
        Subset(frames, places), batch_size=config.batch_size, num_workers=config.workers if places else 0
    )
    for number, batch in enumerate(loader):
        yield places[number * config.batch_size :][: config.batch_size], batch


def _judge(
    predictor: DepthPredictor, batch: Pictures, references: Sequence[FrameReference], config: ResamplingConfig
) -> list[FrameVerdict]:
    depth, seen = predictor(batch.image)
    labelled, K = batch.labelled.to(depth.device), batch.K.to(depth.device)
    ground, kinds = None, [GEOMETRIC] * len(references)
    if seen is not None or bool(labelled.any()):
        pictured = batch.ground.to(depth.device)
        ground = pictured if seen is None else torch.where(labelled[:, None, None], pictured, seen)
        kinds = [LABELS if flag else NETWORK for flag in labelled.tolist()]
    check = check_ground(depth, K, ground, config)
    kinds = [GEOMETRIC if flag else kind for flag, kind in zip(check.geometric.tolist(), kinds, strict=True)]
    return judge(check, references, config.allowed(predictor.height, predictor.width), kinds)


def _judge_the_rest(
    predictor: DepthPredictor,
    frames: FramePictures,
    verdicts: Sequence[FrameVerdict],
    references: Sequence[FrameReference],
    config: ResamplingConfig,
    progress: Progress | None,
) -> list[FrameVerdict]:
    """This process's share of the verdicts; of those without a plane, what is below the plane of other frames goes."""
    usual = UsualPlanes(verdicts)
    share = distributed.my_share(range(len(references)))
    left = [place for place in share if verdicts[place].distance is None and usual.knows(references[place])]
    again: dict[int, FrameVerdict] = {}
    done = 0
    for places, batch in _batches(frames, left, config):
        asked = [references[place] for place in places]
        depth, K = predictor(batch.image)[0].cpu(), batch.K
        check = check_against(depth, K, usual.of(asked), torch.zeros(len(asked), dtype=torch.bool), config)
        judged = judge(check, asked, config.allowed(predictor.height, predictor.width), [OTHER_FRAMES] * len(asked))
        # Only what is found counts: a frame may show no plane because there is none, before a wall, say.
        again.update((place, verdict) for place, verdict in zip(places, judged, strict=True) if verdict.dropped)
        done += len(places)
        if progress is not None:
            progress(len(share) + done, len(share) + len(left))
    return [again.get(place, verdicts[place]) for place in share]
