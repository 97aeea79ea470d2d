"""What a run leaves behind: shippable checkpoints, pictures to look at, and a stop before NaN spreads."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import lightning
import matplotlib
import torch
from lightning.pytorch.callbacks import Callback, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch import Tensor

from depth_node.data.sample import Sample
from depth_node.errors import TrainingError
from depth_node.networks.checkpoint import CheckpointInfo, save_checkpoint
from depth_node.training.module import SelfSupervisedModule

BEST_FILE = "best.safetensors"
LAST_FILE = "last.safetensors"
RESUME_FILE = "last.ckpt"
SCORE = "val/photometric"


class SaveRun(Callback):
    """Keeps a run on disk: `last.ckpt` to resume from, `last.safetensors`, and `best.safetensors` by validation.

    Everything is saved every `every` steps, at the end, and when the run is interrupted (Ctrl-C, SIGTERM).
    """

    def __init__(self, folder: Path, info: CheckpointInfo, every: int) -> None:
        self.folder = folder
        self.info = info
        self.every = every
        self.best = math.inf

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:
        """Save every `every` steps."""
        if trainer.global_step % self.every == 0:
            self._save_all(trainer, pl_module)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Keep the checkpoint that explains unseen frames best."""
        score = float(trainer.callback_metrics.get(SCORE, math.inf))
        if not trainer.sanity_checking and score < self.best:
            self.best = score
            self._save_networks(BEST_FILE, trainer, pl_module)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Save the final state."""
        self._save_all(trainer, pl_module)

    def on_exception(self, trainer: lightning.Trainer, pl_module: Any, exception: BaseException) -> None:
        """Lose nothing to an interruption; after a bad loss the last regular save is the one to keep."""
        if isinstance(exception, (KeyboardInterrupt, SIGTERMException)) and trainer.global_step > 0:
            self._save_all(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        """The best score survives a resume."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the best score from a resumed run."""
        self.best = float(state_dict["best"])

    def _save_all(self, trainer: lightning.Trainer, module: SelfSupervisedModule) -> None:
        temporary = self.folder / f".{RESUME_FILE}.tmp"
        trainer.save_checkpoint(temporary)
        if trainer.is_global_zero:
            os.replace(temporary, self.folder / RESUME_FILE)
        self._save_networks(LAST_FILE, trainer, module)

    def _save_networks(self, name: str, trainer: lightning.Trainer, module: SelfSupervisedModule) -> None:
        if not trainer.is_global_zero:
            return
        metrics = {k: round(float(v), 6) for k, v in trainer.callback_metrics.items() if "/" in k}
        info = self.info.with_training(**{**self.info.training, "steps": trainer.global_step, "metrics": metrics})
        save_checkpoint(self.folder / name, info, module.depth, module.pose)


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
        disparity = pl_module.depth(images, scales=1)[0].float()
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
