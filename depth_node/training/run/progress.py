# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a run leaves behind and shows: shippable checkpoints, pictures to look at, its speed and progress."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any, ClassVar, cast

import cv2
import lightning
import matplotlib
import torch
from lightning.pytorch.callbacks import Callback, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from rich.progress import BarColumn
from torch import Tensor

from depth_node.atomic_file import replacing
from depth_node.checkpoints.depth import CheckpointInfo, save_checkpoint
from depth_node.datasets.batch_order import BatchOrder
from depth_node.datasets.sample import Sample
from depth_node.training.module import SelfSupervisedModule
from depth_node.training.run.metrics_file import SPEED
from depth_node.training.run.report import FIRST_PICTURE, LATEST_PICTURE
from depth_node.training.run.saver import RunSaver, summary

SCORE = "val/photometric"
TEACHER_SCORE = "val/distillation"


class SaveRun(RunSaver):
    """Saves the networks of self-supervised training; see `RunSaver`."""

    def __init__(self, folder: Path, info: CheckpointInfo, every: int) -> None:
        super().__init__(folder, every)
        self.info = info

    def error(self, trainer: lightning.Trainer) -> float:
        """How badly unseen frames are explained, or depth differs from a teacher's where nothing else teaches."""
        module = cast(SelfSupervisedModule, trainer.lightning_module)
        score = SCORE if module.config.distillation.photometric else TEACHER_SCORE
        return float(trainer.callback_metrics.get(score, math.inf))

    def save_networks(self, path: Path, trainer: lightning.Trainer, module: SelfSupervisedModule) -> None:
        """Write a checkpoint with all networks."""
        info = self.info.with_training(**self.info.training, **summary(trainer))
        semantic = module.semantics.network if module.semantics else None
        save_checkpoint(path, info, module.depth, module.pose, semantic)


class SavePictures(Callback):
    """Shows the first validation images and their disparities in TensorBoard, and those of first and last validation.

    The latter lie in the run folder, as `first.png` and `latest.png`: a row for each image, its disparity beside it.
    """

    def __init__(self, folder: Path, count: int = 4) -> None:
        self.folder = folder
        self.count = count

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, _: Any, batch: Sample, batch_idx: int, *_more: Any
    ) -> None:
        """Draw the first batch."""
        if batch_idx > 0 or not trainer.is_global_zero:
            return
        images = batch.as_input().target[: self.count]
        disparity = pl_module.disparities(images, scales=1)[0].float()
        pairs = (images.cpu(), magma(disparity).float())
        board = next((log for log in trainer.loggers if isinstance(log, TensorBoardLogger)), None)
        if board is not None:
            board.experiment.add_images("val/image_and_disparity", torch.cat(pairs, dim=2), trainer.global_step)
        rows = torch.cat(pairs, dim=3).permute(0, 2, 3, 1).flatten(0, 1)
        picture = (255 * rows).round().to(torch.uint8).numpy()
        first = self.folder / FIRST_PICTURE
        for path in [self.folder / LATEST_PICTURE, *([] if first.exists() else [first])]:
            with replacing(path) as temporary:
                temporary.write_bytes(cv2.imencode(".png", picture[..., ::-1])[1].tobytes())


def magma(disparity: Tensor) -> Tensor:
    """Colour (B, 1, H, W) disparities: (B, 3, H, W) in 0..1, each picture stretched to its own nearest surfaces."""
    top = torch.quantile(disparity.flatten(1), 0.95, dim=1).reshape(-1, 1, 1)
    colours = matplotlib.colormaps["magma"]((disparity[:, 0] / top).clamp(0, 1).cpu().numpy())
    return torch.from_numpy(colours[..., :3]).permute(0, 3, 1, 2)


class Speed(Callback):
    """Measures how many samples all processes together train on in a second; validation does not count.

    Put it before the callbacks that show or write it.
    """

    def __init__(self, batch_size: int, every: int) -> None:
        """Prepare.

        Args:
            batch_size: samples per step of all processes.
            every: steps to average over.
        """
        self.batch_size = batch_size
        self.every = every
        self._seconds, self._steps = 0.0, 0
        self._since = 0.0

    def on_train_start(self, *_: Any) -> None:
        """Start the clock."""
        self._since = time.monotonic()

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any) -> None:
        """Count a step."""
        self.on_validation_start()
        self._steps += 1
        if trainer.global_step % self.every == 0:
            speed = self._steps * self.batch_size / max(self._seconds, 1e-9)
            pl_module.log(f"train/{SPEED}", speed)
            self._seconds, self._steps = 0.0, 0

    def on_validation_start(self, *_: Any) -> None:
        """Stop the clock."""
        now = time.monotonic()
        self._seconds += now - self._since
        self._since = now

    def on_validation_end(self, *_: Any) -> None:
        """Go on."""
        self._since = time.monotonic()


class StepProgress(RichProgressBar):
    """One progress bar for the whole run, which says how many epochs that is; it fits in 80 columns."""

    SHORT: ClassVar[dict[str, str]] = {"train_loss": "loss", "val_loss": "val", "val/miou": "mIoU"}

    def __init__(self, order: BatchOrder) -> None:
        super().__init__()
        self.order = order

    @property
    def total_train_batches(self) -> int:
        """All steps of the run, those of earlier starts too."""
        return self.order.steps

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move on to the step that is done, in a resumed run too."""
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx + self.order.first)

    def get_metrics(self, trainer: lightning.Trainer, pl_module: Any) -> dict[str, Any]:
        """What stands beside the bar, under short names."""
        metrics = super().get_metrics(trainer, pl_module)
        return {self.SHORT.get(name, name): value for name, value in metrics.items() if name != "v_num"}

    def configure_columns(self, trainer: lightning.Trainer) -> list[Any]:
        """Lightning's columns with a shorter bar."""
        columns = super().configure_columns(trainer)
        next(column for column in columns if isinstance(column, BarColumn)).bar_width = 8
        return columns

    def _get_train_description(self, _: int) -> str:
        return f"{self.order.epoch(self.order.steps - 1) + 1} epochs"
