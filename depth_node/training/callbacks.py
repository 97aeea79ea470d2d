"""What a run leaves behind: shippable checkpoints, pictures to look at, and a stop before NaN spreads."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import lightning
import matplotlib
import torch
from lightning.pytorch.callbacks import Callback, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from depth_node.data.sample import Sample
from depth_node.errors import TrainingError
from depth_node.networks.checkpoint import CheckpointInfo, save_checkpoint
from depth_node.training.module import SelfSupervisedModule
from depth_node.training.run_saver import RunSaver, summary

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
    """Shows the first validation images and their disparities in TensorBoard."""

    def __init__(self, count: int = 4) -> None:
        self.count = count

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, _: Any, batch: Sample, batch_idx: int, *_more: Any
    ) -> None:
        """Draw the first batch."""
        board = next((log for log in trainer.loggers if isinstance(log, TensorBoardLogger)), None)
        if board is None or batch_idx > 0 or trainer.sanity_checking:
            return
        images = batch.as_input().target[: self.count]
        disparity = pl_module.disparities(images, scales=1)[0].float()
        panels = torch.cat([images, _magma(disparity).to(images)], dim=2)
        board.experiment.add_images("val/image_and_disparity", panels, trainer.global_step)


def _magma(disparity: Tensor) -> Tensor:
    """Colour (B, 1, H, W) disparities: (B, 3, H, W) in 0..1, each picture stretched to its own nearest surfaces."""
    top = torch.quantile(disparity.flatten(1), 0.95, dim=1).reshape(-1, 1, 1)
    colours = matplotlib.colormaps["magma"]((disparity[:, 0] / top).clamp(0, 1).cpu().numpy())
    return torch.from_numpy(colours[..., :3]).permute(0, 3, 1, 2)


class StopOnNaN(Callback):
    """Ends the run while the last saved weights are still good."""

    def on_before_optimizer_step(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Check the loss before it reaches the weights; raises TrainingError."""
        loss = trainer.callback_metrics.get("train_loss")
        if loss is not None and not math.isfinite(float(loss)):
            raise TrainingError(
                f"the loss became {float(loss)} at step {trainer.global_step}: weights of the last save are intact; "
                "resume with a lower --learning_rate or --precision fp32"
            )


class StepProgress(RichProgressBar):
    """A progress bar per epoch that says how long the whole run is: in steps where those limit it, else in epochs."""

    def _get_train_description(self, current_epoch: int) -> str:
        trainer = self.trainer
        if trainer.max_steps > 0:
            return f"epoch {current_epoch + 1} (run of {trainer.max_steps} steps)"
        return f"epoch {current_epoch + 1}/{trainer.max_epochs}"
