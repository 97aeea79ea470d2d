# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the training loop of a semantic network in a run folder that can be resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from depth_node.atomic_file import clear_partial, replacing
from depth_node.checkpoints.semantic import SemanticInfo, load_semantic
from depth_node.config.classes import ClassMap
from depth_node.config.semantic import SemanticConfig
from depth_node.config.semantic_training import SemanticTrainConfig
from depth_node.config.setting import values, without_folders
from depth_node.datasets.batch_order import BatchOrder
from depth_node.datasets.labelled_dataset import LabelledDataset, LabelledSample, collate
from depth_node.distributed import world_size
from depth_node.errors import TrainingError
from depth_node.image_file import write_image
from depth_node.networks.semantic import SemanticNetwork
from depth_node.training.loop import Learning, Schedule
from depth_node.training.run.earlier_run import check_settings
from depth_node.training.run.folder import (
    BEST_FILE,
    LAST_FILE,
    choose_accelerator,
    make_fabric,
    resume_state,
    write_config,
)
from depth_node.training.run.loader_workers import outlast_signals
from depth_node.training.run.origin import add_origin, describe_data, origin
from depth_node.training.run.state import read_state
from depth_node.training.semantic.evaluation import evaluate_semantic, predictions_picture
from depth_node.training.semantic.module import SemanticModule
from depth_node.training.semantic.scores import SemanticScores

SCORES_FILE, PICTURE_FILE, CLASSES_FILE = "scores.json", "predictions.png", "classes.json"


def fit_semantic(
    train: LabelledDataset,
    val: LabelledDataset | None,
    classes: ClassMap,
    network: SemanticConfig,
    config: SemanticTrainConfig,
    folder: Path,
    weights: Tensor | None = None,
    resume: bool | None = False,
) -> tuple[Path, SemanticScores | None]:
    """Train and leave checkpoints, metrics.csv, scores, a picture and TensorBoard logs in `folder`.

    Args:
        train: pictures to learn from.
        val: pictures to choose the best checkpoint by, or None.
        classes: the class map of their labels.
        network: what to build.
        config: how to train.
        folder: the run folder, created if missing.
        weights: (N,) weight of each class; without it all count alike.
        resume: go on from the folder's last save (True), refuse a folder in use (False), or start where there is no
            save and else go on (None).

    Returns:
        The checkpoint to use (the best by mIoU, or the last without validation), and its scores on `val`.

    Raises:
        TrainingError: the folder is in use, or training cannot go on.
        ConfigError: the network cannot be built, or the folder's run was started with other settings.
    """
    # Everything that can be wrong is found before the folder is made.
    if world_size() > 1:
        raise TrainingError("semantic networks are trained in one process: start without torchrun")
    resume_from = resume_state(folder, resume)
    settings = {f"network.{name}": value for name, value in values(network).items()} | values(config)
    if resume_from:
        check_settings(folder, settings)
        _check_classes(folder / CLASSES_FILE, classes)
    state = read_state(resume_from) if resume_from else None
    if len(train) < config.batch_size:
        raise TrainingError(f"{len(train)} pictures do not fill a batch of {config.batch_size}: lower --batch_size")
    accelerator = choose_accelerator(config.device)
    fabric, scaler = make_fabric(accelerator, config.precision, config.seed)
    built = _network(network, classes, config)
    training = {"pictures": len(train), "settings": without_folders(values(config))}
    info = SemanticInfo(built.config, classes, config.height, config.width, training=training)
    module = SemanticModule(built, config, info, weights)
    steps = config.steps or config.epochs * (len(train) // config.batch_size)
    order = BatchOrder(len(train), config.batch_size, steps, config.seed)
    clear_partial(folder)
    write_config(folder, settings)
    _write_json(folder / CLASSES_FILE, classes.record())
    add_origin(folder, origin(describe_data([str(pair.image) for pair in train.pairs], [])))
    every = _validation_interval(config, steps) if val else 0
    schedule = Schedule(order, config.log_every, config.save_every, every)
    Learning(module, fabric, scaler, schedule, folder, state).run(
        _loader(train, config, batch_sampler=order),
        _loader(val, config, batch_size=config.batch_size) if val else None,
    )
    best = folder / BEST_FILE
    checkpoint = best if best.exists() else folder / LAST_FILE
    return checkpoint, _report(checkpoint, val, config, accelerator, folder)


def _network(config: SemanticConfig, classes: ClassMap, training: SemanticTrainConfig) -> SemanticNetwork:
    network = SemanticNetwork(config, classes, pretrained=training.pretrained and not training.initial)
    if training.initial:
        _warm_start(network, training.initial)
    return network


def _warm_start(network: SemanticNetwork, path: str) -> None:
    """Take all weights of a checkpoint of the same architecture, those of other classes excepted."""
    info, source = load_semantic(path)
    if info.config != network.config:
        theirs, ours = values(info.config), values(network.config)
        name = next(name for name in theirs if theirs[name] != ours[name])
        raise TrainingError(
            f"{path} has {name} {theirs[name]}, this run {ours[name]}: add --network.{name} {theirs[name]}"
        )
    own = network.state_dict()
    fitting = {name: tensor for name, tensor in source.state_dict().items() if tensor.shape == own[name].shape}
    network.load_state_dict(own | fitting)


def _validation_interval(config: SemanticTrainConfig, total: int) -> int:
    """Steps between two validations: about `save_every`, such that they divide the run evenly."""
    return max(1, total // max(1, round(total / config.save_every)))


def _report(
    checkpoint: Path, val: LabelledDataset | None, config: SemanticTrainConfig, accelerator: str, folder: Path
) -> SemanticScores | None:
    if val is None:
        return None
    network = load_semantic(checkpoint)[1].to(accelerator)
    scores = evaluate_semantic(network, val, config.batch_size, accelerator)
    _write_json(folder / SCORES_FILE, scores.record())
    write_image(folder / PICTURE_FILE, predictions_picture(network, val))
    return scores


def _check_classes(path: Path, classes: ClassMap) -> None:
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != json.loads(json.dumps(classes.record())):
        raise TrainingError(f"{path.parent} was started with other classes: name the class map of its start")


def _write_json(path: Path, record: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n")


def _loader(dataset: LabelledDataset, config: SemanticTrainConfig, **batches: Any) -> DataLoader[LabelledSample]:
    return DataLoader(
        dataset,
        num_workers=config.workers,
        persistent_workers=config.workers > 0,
        pin_memory=torch.cuda.is_available(),
        collate_fn=collate,
        worker_init_fn=outlast_signals,
        **batches,
    )
