# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""When a run is saved: regularly, after a better validation, at its end and on interruption."""

from __future__ import annotations

import math
import os
from abc import abstractmethod
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from depth_node.errors import OutputError, TrainingError, first_line
from depth_node.training.ema import averaged_weights
from depth_node.training.run.interruption import RunInterrupted
from depth_node.training.run.resuming import validation_due

BEST_FILE = "best.safetensors"
LAST_FILE = "last.safetensors"
RESUME_FILE = "last.ckpt"


class RunSaver(Callback):
    """Keeps a run on disk: `last.ckpt` to resume from, `last.safetensors`, and `best.safetensors` by validation.

    Everything is saved every `every` steps, at the end, and when the run is interrupted (Ctrl-C, SIGTERM).
    """

    def __init__(self, folder: Path, every: int) -> None:
        self.folder = folder
        self.every = every
        self.best = math.inf

    @abstractmethod
    def error(self, trainer: lightning.Trainer) -> float:
        """What the last validation says about the networks: the lower, the better."""

    @abstractmethod
    def save_networks(self, path: Path, trainer: lightning.Trainer, module: Any) -> None:
        """Write the networks to a file."""

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:
        """Save every `every` steps; a step that is validated is saved after that."""
        if trainer.global_step % self.every == 0 and not validation_due(trainer):
            self._save_all(trainer, pl_module)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Keep the checkpoint that does best on unseen frames."""
        error = self.error(trainer)
        if error < self.best:
            self.best = error
            self._save_networks(BEST_FILE, trainer, pl_module)
        if trainer.global_step % self.every == 0:
            self._save_all(trainer, pl_module)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Save the final state."""
        self._save_all(trainer, pl_module)

    def on_exception(self, trainer: lightning.Trainer, pl_module: Any, exception: BaseException) -> None:
        """Lose nothing to an interruption; after anything else the last regular save is the one to keep."""
        if isinstance(exception, RunInterrupted) and trainer.global_step > 0:
            self._save_all(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        """The best result survives a resume."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the best result from a resumed run."""
        self.best = float(state_dict["best"])

    def _save_all(self, trainer: lightning.Trainer, module: Any) -> None:
        if not all(bool(weights.isfinite().all()) for weights in module.parameters()):
            raise TrainingError(
                f"weights became no numbers at step {trainer.global_step}: the last save is intact; "
                "resume with a lower --learning_rate or --precision fp32"
            )
        temporary = self.folder / f".{RESUME_FILE}.tmp"
        try:
            trainer.save_checkpoint(temporary)
            if trainer.is_global_zero:
                os.replace(temporary, self.folder / RESUME_FILE)
        except (OSError, RuntimeError) as error:  # torch tells of a full disk by the latter
            raise OutputError(f"cannot write {self.folder / RESUME_FILE}: {first_line(error)}") from None
        self._save_networks(LAST_FILE, trainer, module)

    def _save_networks(self, name: str, trainer: lightning.Trainer, module: Any) -> None:
        if trainer.is_global_zero:
            with averaged_weights(trainer):
                self.save_networks(self.folder / name, trainer, module)


def summary(trainer: lightning.Trainer) -> dict[str, Any]:
    """Steps so far and the latest metrics, JSON values."""
    metrics = {k: round(float(v), 6) for k, v in trainer.callback_metrics.items() if "/" in k}
    return {"steps": trainer.global_step, "metrics": metrics}
