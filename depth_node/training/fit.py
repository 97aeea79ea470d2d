"""Runs the training loop in a run folder that can be resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import torch
import yaml
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from depth_node.config.network import NetworkConfig
from depth_node.config.setting import values
from depth_node.config.training import TrainConfig
from depth_node.data.dataset import TripletDataset
from depth_node.data.sample import Sample, collate
from depth_node.errors import TrainingError
from depth_node.networks.checkpoint import CheckpointInfo, TrainingCamera, load_checkpoint
from depth_node.training.callbacks import (
    BEST_FILE,
    LAST_FILE,
    RESUME_FILE,
    SavePictures,
    SaveRun,
    StepProgress,
    StopOnNaN,
)
from depth_node.training.metrics_file import MetricsFile
from depth_node.training.module import SelfSupervisedModule

CONFIG_FILE = "config.yaml"
PRECISIONS: dict[str, Any] = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


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
    resume_from = _resume_state(folder, resume)
    if len(train) < config.batch_size:
        raise TrainingError(f"{len(train)} triplets do not fill a batch of {config.batch_size}: lower --batch_size")
    accelerator = _accelerator(config.device)
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    module = SelfSupervisedModule(network, config)
    if config.initial:
        _warm_start(module, Path(config.initial))
    info = CheckpointInfo(
        network=module.depth.config,
        camera=_camera(train),
        training={"frames": len(train), "settings": values(config)},
    )
    _write_config(folder, network, config)
    callbacks: list[Callback] = [
        SaveRun(folder, info, config.save_every),
        MetricsFile(folder, config.log_every),
        SavePictures(),
        StopOnNaN(),
        StepProgress(),
    ]
    trainer = _trainer(config, accelerator, folder, callbacks, val is not None)
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


def _resume_state(folder: Path, resume: bool) -> Path | None:
    state = folder / RESUME_FILE
    if resume:
        if not state.exists():
            raise TrainingError(f"{folder} holds no {RESUME_FILE} to resume: start without --resume")
        return state
    if folder.exists() and any(folder.iterdir()):
        raise TrainingError(f"{folder} already holds files: add --resume to go on, or choose another --output")
    return None


def _accelerator(device: str) -> str:
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("no CUDA device found: use --device cpu, or install a CUDA build of torch and its driver")
    return device if device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")


def _warm_start(module: SelfSupervisedModule, path: Path) -> None:
    checkpoint = load_checkpoint(path)
    if checkpoint.info.network.architecture != module.depth.config.architecture:
        raise TrainingError(
            f"{path} holds a {checkpoint.info.network.architecture}, this run trains a "
            f"{module.depth.config.architecture}: choose the same --network.architecture"
        )
    module.depth.load_state_dict(checkpoint.depth.state_dict())
    if checkpoint.pose is not None and checkpoint.info.network.pose == module.depth.config.pose:
        module.pose.load_state_dict(checkpoint.pose.state_dict())


def _write_config(folder: Path, network: NetworkConfig, config: TrainConfig) -> None:
    flat = {f"network.{k}": v for k, v in values(network).items()} | values(config)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE).write_text(yaml.safe_dump(flat, sort_keys=False))
    except OSError as error:
        raise TrainingError(f"cannot write run folder {folder}: {error.strerror}") from None


def _trainer(
    config: TrainConfig, accelerator: str, folder: Path, callbacks: list[Callback], validate: bool
) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator=accelerator,
        devices="auto" if accelerator == "cuda" else 1,
        precision=PRECISIONS[_precision(config.precision, accelerator)],
        max_epochs=-1 if config.steps else config.epochs,
        max_steps=config.steps or -1,
        callbacks=callbacks,
        logger=TensorBoardLogger(folder, name="", version=""),
        log_every_n_steps=config.log_every,
        num_sanity_val_steps=0,
        limit_val_batches=1.0 if validate else 0,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


def _precision(asked: str, accelerator: str) -> str:
    if asked != "auto":
        return asked
    return "bf16" if accelerator == "cuda" and torch.cuda.is_bf16_supported() else "fp32"


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
