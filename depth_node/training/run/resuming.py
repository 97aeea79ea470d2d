# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A resumed run goes on exactly where its last save left it, in the middle of an epoch too."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from depth_node.datasets.batch_order import BatchOrder
from depth_node.errors import TrainingError, first_line

LOOPS, VALIDATED = "loops", "validated_step"


class ResumeExactly(Callback):
    """Stores after which step the run was saved and validated, and begins there again.

    To Lightning a run is one long epoch of all its steps, of which a resumed run has fewer left. Its own record of
    loops is not kept: it knows neither the order of the batches nor a validation that was interrupted. Put this
    callback behind all others.

    Rates and other options of the optimiser are the present settings', not the save's: who resumes with a lower
    --learning_rate means it, and a run that goes on for more --steps has their schedule.
    """

    def __init__(self, order: BatchOrder) -> None:
        """Prepare; `order` has the run's batches."""
        self.order = order
        self.validated = 0

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Validate where that was due at the saved step, but not done."""
        if trainer.global_step > self.validated and validation_due(trainer):
            trainer.validating = True
            trainer.fit_loop.epoch_loop.val_loop.run()
            trainer.training = True

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """End a run that was killed in its last validation as it should have ended: no step is left to do that."""
        if self.validated == trainer.global_step or not validation_due(trainer):
            return
        callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
        for callback in callbacks:
            callback.on_train_start(trainer, pl_module)  # this one validates
        for callback in callbacks:
            callback.on_train_end(trainer, pl_module)

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Have the last step validated, too, wherever in an epoch it falls."""
        if trainer.global_step == trainer.max_steps:
            trainer.val_check_batch = 1

    def on_validation_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Remember that this step is validated, before it is saved."""
        self.validated = trainer.global_step

    def on_save_checkpoint(self, _: lightning.Trainer, __: Any, checkpoint: dict[str, Any]) -> None:
        """Replace Lightning's record of loops."""
        checkpoint[LOOPS] = {VALIDATED: self.validated}

    def on_load_checkpoint(self, trainer: lightning.Trainer, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        """Begin after the saved step; earlier versions saved nothing between a step and its validation."""
        step = int(checkpoint["global_step"])
        pl_module.steps_done = step
        # The save numbers the weights through all groups, so that it fits however many groups they are in now.
        groups = pl_module.configure_optimizers()["optimizer"].state_dict()["param_groups"]
        checkpoint["optimizer_states"] = [{**s, "param_groups": groups} for s in checkpoint["optimizer_states"]]
        checkpoint["lr_schedulers"] = []  # the module's are made for that step
        self.validated = int(checkpoint.pop(LOOPS).get(VALIDATED, step))
        self.order.first = step
        loop = trainer.fit_loop.epoch_loop
        loop.automatic_optimization.optim_progress.optimizer.step.total.completed = step  # trainer.global_step
        loop.batch_progress.total.ready = step  # what validation is due by
        loop._batches_that_stepped = step  # what TensorBoard's curves are drawn over


def saved_step(state: Path) -> int:
    """The step that a run was saved after; raises TrainingError where the file cannot be read."""
    try:
        return int(torch.load(state, map_location="cpu", mmap=True, weights_only=True)["global_step"])
    except (OSError, RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
        reason = first_line(error)
        raise TrainingError(
            f"{state} is damaged ({reason}): start another run with --initial {state.with_suffix('.safetensors')}"
        ) from None


def validation_due(trainer: lightning.Trainer) -> bool:
    """Whether the step that is just done is one to validate after."""
    last = trainer.global_step == trainer.max_steps
    return trainer.enable_validation and (last or trainer.global_step % int(trainer.val_check_interval or 1) == 0)
