"""Runs the training loop in a run folder that can be resumed."""

from __future__ import annotations

from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader

from depth_node.config.network import NetworkConfig
from depth_node.config.setting import values
from depth_node.config.training import TrainConfig
from depth_node.data.dataset import TripletDataset
from depth_node.data.sample import Sample, collate
from depth_node.errors import TrainingError
from depth_node.networks.checkpoint import CheckpointInfo, TrainingCamera, read_info
from depth_node.training.callbacks import SavePictures, SaveRun, StepProgress, StopOnNaN
from depth_node.training.ema import AverageWeights
from depth_node.training.frozen import FrozenSemantics, Teacher
from depth_node.training.metrics_file import MetricsFile
from depth_node.training.module import SelfSupervisedModule
from depth_node.training.run_folder import choose_accelerator, make_trainer, resume_state, write_config
from depth_node.training.run_saver import BEST_FILE, LAST_FILE
from depth_node.training.supervision import check_supervision, metric_scale
from depth_node.training.warm_start import warm_start


def fit(
    train: TripletDataset,
    val: TripletDataset | None,
    network: NetworkConfig,
    config: TrainConfig,
    folder: Path,
    resume: bool = False,
) -> Path:
    """Train and leave checkpoints, metrics.csv and TensorBoard logs in `folder`.

    Args:
        train: triplets to learn from.
        val: triplets to choose the best checkpoint by, or None.
        network: what to build.
        config: how to train.
        folder: the run folder, created if missing.
        resume: go on from the folder's last save instead of refusing a folder in use.

    Returns:
        The checkpoint to use: the best by validation, or the last without validation.

    Raises:
        TrainingError: the folder is in use, or training cannot go on.
    """
    # Everything that can be wrong is found before the folder is made.
    resume_from = resume_state(folder, resume)
    if len(train) < config.batch_size:
        raise TrainingError(f"{len(train)} triplets do not fill a batch of {config.batch_size}: lower --batch_size")
    accelerator = choose_accelerator(config.device)
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    module = _module(network, config)
    check_supervision(config, train, module.semantics)
    camera = _camera(train)
    scale, scale_source = metric_scale(config, train, module.teacher, camera)
    info = CheckpointInfo(
        network=module.depth.config,
        semantic=module.semantics.info if module.semantics else None,
        camera=camera,
        scale=scale,
        scale_source=scale_source,
        training={"frames": len(train), "settings": values(config)},
    )
    write_config(folder, {f"network.{name}": value for name, value in values(network).items()} | values(config))
    callbacks: list[Callback] = [
        *([AverageWeights(config.ema)] if config.ema else []),  # before whatever saves
        SaveRun(folder, info, config.save_every),
        MetricsFile(folder, config.log_every),
        SavePictures(),
        StopOnNaN(),
        StepProgress(),
    ]
    trainer = make_trainer(
        folder,
        accelerator,
        config.precision,
        config.epochs,
        config.steps,
        config.log_every,
        callbacks,
        validate=val is not None,
    )
    trainer.fit(
        module,
        train_dataloaders=_loader(train, config, shuffle=True),
        val_dataloaders=_loader(val, config, shuffle=False) if val else None,
        ckpt_path=resume_from,
        weights_only=True,
    )
    best = folder / BEST_FILE
    return best if best.exists() else folder / LAST_FILE


def _camera(dataset: TripletDataset) -> TrainingCamera:
    K = dataset[0].K
    focal_and_centre = (float(K[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    return TrainingCamera(dataset.width, dataset.height, *focal_and_centre)


def _module(network: NetworkConfig, config: TrainConfig) -> SelfSupervisedModule:
    semantics = _semantics(config)
    teacher = Teacher(Path(config.distillation.teacher)) if config.distillation.teacher else None
    module = SelfSupervisedModule(network, config, semantics, teacher)
    warm_start(module.depth, module.pose, semantics, config)
    return module


def _semantics(config: TrainConfig) -> FrozenSemantics | None:
    if config.semantic:
        return FrozenSemantics.from_checkpoint(config.semantic)
    if config.initial and read_info(config.initial).semantic is not None:
        return FrozenSemantics.from_checkpoint(config.initial)
    return None


def _loader(dataset: TripletDataset, config: TrainConfig, shuffle: bool) -> DataLoader[Sample]:
    return DataLoader(
        dataset,
        batch_size=config.batch_size,
        shuffle=shuffle,
        drop_last=shuffle,
        num_workers=config.workers,
        persistent_workers=config.workers > 0,
        pin_memory=torch.cuda.is_available(),
        collate_fn=collate,
    )
