# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the training loop in a run folder that can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Subset

from depth_node.atomic_file import clear_partial
from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth import CheckpointInfo, read_info
from depth_node.checkpoints.depth_info import is_restricted
from depth_node.config.network import NetworkConfig
from depth_node.config.setting import values, without_folders
from depth_node.config.training import TrainConfig
from depth_node.datasets.batch_order import BatchOrder, share_of_frames
from depth_node.datasets.sample import Sample, collate
from depth_node.datasets.teacher_labels import TeacherLabels
from depth_node.datasets.triplets import TripletDataset
from depth_node.distributed import is_first, wait_for_all, world_size
from depth_node.errors import TrainingError
from depth_node.kitti.layout import FrameReference
from depth_node.training.frozen_networks import FrozenSemantics, Teacher
from depth_node.training.loop import Learning, Schedule
from depth_node.training.module import SelfSupervisedModule
from depth_node.training.run.earlier_run import check_settings
from depth_node.training.run.folder import (
    BEST_FILE,
    LAST_FILE,
    choose_accelerator,
    make_fabric,
    resume_state,
    share_of_batch,
    write_config,
)
from depth_node.training.run.loader_workers import outlast_signals
from depth_node.training.run.origin import add_origin, check_data, describe_data, origin
from depth_node.training.run.state import read_state
from depth_node.training.supervision import check_intrinsics, check_supervision, metric_scale
from depth_node.training.synchronised_norm import synchronise_norms
from depth_node.training.warm_start import as_in, warm_start


def fit(
    train: TripletDataset,
    val: TripletDataset | None,
    network: NetworkConfig,
    config: TrainConfig,
    folder: Path,
    resume: bool | None = False,
    at_start: Callable[[], None] | None = None,
    places: Mapping[str, str] | None = None,
) -> Path:
    """Train and leave checkpoints, metrics.csv, report.md and TensorBoard logs in `folder`.

    Where torchrun has started several processes, all must call it; they share every batch.

    Args:
        train: triplets to learn from.
        val: triplets to choose the best checkpoint by, or None.
        network: what to build.
        config: how to train.
        folder: the run folder, created if missing.
        resume: go on from the folder's last save (True), refuse a folder in use (False), or start where there is no
            save and else go on (None).
        places: where data lie, by the flag that says so; for a start that goes on from here.
        at_start: called in the first process once everything is checked, when the folder is made.

    Returns:
        The checkpoint to use: the best by validation, or the last without validation.

    Raises:
        TrainingError: the folder is in use, or training cannot go on.
        ConfigError: the folder's run was started with other settings.
    """
    # Everything that can be wrong is found before the folder is made.
    resume_from = resume_state(folder, resume)
    settings = run_settings(network, config)
    names, roots = _frames(train)
    data = describe_data(names, roots)
    if resume_from:
        check_settings(folder, settings)
        check_data(folder, data)
    share = share_of_batch(config.batch_size)
    state = read_state(resume_from) if resume_from else None
    if len(train) < config.batch_size:
        raise TrainingError(f"{len(train)} triplets do not fill a batch of {config.batch_size}: lower --batch_size")
    accelerator = choose_accelerator(config.device)
    fabric, scaler = make_fabric(accelerator, config.precision, config.seed)
    last = folder / LAST_FILE
    saved = last if resume_from and last.is_file() else None
    module = _module(network, config, saved)
    check_intrinsics(network.learn_intrinsics, config, train)
    check_supervision(config, train, module.semantics)
    camera = _camera(train)
    if module.focal is not None and config.initial and not resume_from:
        module.focal.start_from(read_info(config.initial), camera)
    module.labels = train.labels
    scale, scale_source = metric_scale(config, train, module.teacher, camera)
    module.info = CheckpointInfo(
        network=module.depth.config,
        semantic=module.semantics.info if module.semantics else None,
        camera=camera,
        scale=scale,
        scale_source=scale_source,
        training={"frames": len(train), "settings": without_folders(values(config))} | _taught_by(train.labels),
        licence=_licence(config, saved, train.labels),
    )
    if world_size() > 1 and config.sync_batch_norm:
        synchronise_norms(module, accelerator)
    wait_for_all()  # until every process has found that the folder can be used
    if is_first():
        clear_partial(folder)
        write_config(folder, settings)
        if at_start:
            at_start()
        add_origin(folder, origin(data, places))
    steps = config.steps or config.epochs * (len(train) // config.batch_size)
    order = BatchOrder(len(train), config.batch_size, steps, config.seed)
    schedule = Schedule(order, config.log_every, config.save_every, order.steps_per_epoch if val else 0)
    learning = Learning(module, fabric, scaler, schedule, folder, state, config.ema, names.__getitem__)
    learning.run(
        make_loader(train, config, batch_sampler=order),
        make_loader(Subset(val, share_of_frames(len(val))), config, batch_size=share) if val else None,
    )
    wait_for_all()  # until the first one has written everything
    best = folder / BEST_FILE
    return best if best.exists() else folder / LAST_FILE


def run_settings(network: NetworkConfig, config: TrainConfig) -> dict[str, Any]:
    """All settings of a run, dotted name to value, as its folder keeps them."""
    return {f"network.{name}": value for name, value in values(network).items()} | values(config)


def _taught_by(labels: TeacherLabels | None) -> dict[str, Any]:
    """What a checkpoint says of the teacher whose labels it learnt from: name, revision and licence."""
    if labels is None:
        return {}
    kept = {name: labels.record.get(name, "") for name in ("name", "revision", "licence")}
    return {"teacher": f"{kept['name']}, revision {kept['revision']}, licence {kept['licence'] or 'unknown'}"}


def _frames(dataset: TripletDataset) -> tuple[list[str], set[Path]]:
    """The name of each triplet's frame as a line of a split file, and the roots of the drives they are from."""
    names = []
    for sequence, index in dataset.targets:
        drive = f"{sequence.day.name}/{sequence.location.name}"
        names.append(str(FrameReference(drive, index, "r" if sequence.camera.endswith("3") else "l")))
    return names, {sequence.day.parent for sequence, _ in dataset.targets}


def _camera(dataset: TripletDataset) -> TrainingCamera:
    K = dataset[0].K
    focal_and_centre = (float(K[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    return TrainingCamera(dataset.width, dataset.height, *focal_and_centre)


def _module(network: NetworkConfig, config: TrainConfig, saved: Path | None) -> SelfSupervisedModule:
    """The networks of a new run, or of one that goes on: what it started from is then no longer needed."""
    semantics = _semantics(config, saved)
    teacher = Teacher(Path(config.distillation.teacher)) if config.distillation.teacher else None
    start = saved or config.initial
    module = SelfSupervisedModule(as_in(start, network) if start else network, config, semantics, teacher)
    if not saved:
        warm_start(module.depth, module.pose, semantics, config)
    return module


def _licence(config: TrainConfig, saved: Path | None, labels: TeacherLabels | None) -> str:
    """What the weights that the run started from, and its teacher's, allow holds for those that it ends with."""
    starts = [saved] if saved else [config.initial, config.initial_pose, config.distillation.teacher]
    found = [read_info(start).licence for start in starts if start]
    if labels is not None and is_restricted(labels.record.get("licence", "")):
        found.append(f"{labels.record['licence']} of the teacher {labels.record['name']}")
    return "; ".join(dict.fromkeys(licence for licence in found if licence))


def _semantics(config: TrainConfig, saved: Path | None) -> FrozenSemantics | None:
    if saved:
        return FrozenSemantics.from_checkpoint(str(saved)) if read_info(saved).semantic is not None else None
    if config.semantic:
        return FrozenSemantics.from_checkpoint(config.semantic)
    if config.initial and read_info(config.initial).semantic is not None:
        return FrozenSemantics.from_checkpoint(config.initial)
    return None


def make_loader(dataset: Dataset[Sample], config: TrainConfig, **batches: Any) -> DataLoader[Sample]:
    """Batches of a dataset, loaded as the configuration says; `batches` is what a `DataLoader` takes to make them."""
    return DataLoader(
        dataset,
        num_workers=config.workers,
        persistent_workers=config.workers > 0,
        pin_memory=torch.cuda.is_available(),
        collate_fn=collate,
        worker_init_fn=outlast_signals,
        **batches,
    )
