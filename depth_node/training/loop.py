# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The learning loop, for depth and for semantic networks: batch, loss, backward, step, average, log, validate, save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sized
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from lightning.fabric import Fabric
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer
from torch.utils.tensorboard import SummaryWriter

from depth_node.datasets.batch_order import BatchOrder
from depth_node.distributed import is_first, wait_for_all, world_size
from depth_node.errors import TrainingError
from depth_node.training.average import Average
from depth_node.training.run.bad_batch import stop_on_nan
from depth_node.training.run.folder import BEST_FILE, LAST_FILE
from depth_node.training.run.interruption import RunInterrupted, Signals
from depth_node.training.run.metrics_file import SPEED, MetricsFile
from depth_node.training.run.progress import Speed, StepProgress
from depth_node.training.run.report import Report
from depth_node.training.run.state import Learnt, Position, restore, save_state
from depth_node.training.task import Task, Terms

DRAWN = 4
"""Batches of a validation, evenly over it, of which something is shown."""


class Batches(Iterable[Any], Sized, Protocol):
    """A loader, or a list: batches that know how many they are."""


@dataclass(frozen=True)
class Schedule:
    """When a run does what, in steps.

    Attributes:
        order: the batches of the run.
        log_every: between two lines of metrics.csv.
        save_every: between two saves.
        validate_every: between two validations, the last step is always one; 0 for none.
    """

    order: BatchOrder
    log_every: int
    save_every: int
    validate_every: int

    def saves(self, step: int) -> bool:
        """Whether a regular save is due after a step; the end of the run is saved anyway."""
        return step % self.save_every == 0 and step < self.order.steps

    def validates(self, step: int) -> bool:
        """Whether a validation is due after a step, from 1."""
        return self.validate_every > 0 and (step == self.order.steps or step % self.validate_every == 0)


class Learning:
    """A task that learns in a run folder, from its start or from a save on."""

    def __init__(
        self,
        task: Task,
        fabric: Fabric,
        scaler: GradScaler | None,
        schedule: Schedule,
        folder: Path,
        state: Mapping[str, Any] | None = None,
        decay: float = 0.0,
        name: Callable[[int], str] = str,
    ) -> None:
        """Prepare.

        Args:
            task: what learns.
            fabric: device, precision and processes.
            scaler: of losses in half precision.
            schedule: when to log, validate and save.
            folder: the run folder.
            state: of the save to go on from.
            decay: of the average of the weights that is validated and saved; 0 for none.
            name: says what the sample of an index is called.
        """
        self.task, self.fabric, self.schedule, self.folder, self.name = task, fabric, schedule, folder, name
        self.position = Position(**state["position"]) if state else Position()
        schedule.order.first = self.position.step
        self.model = fabric.setup_module(task)
        self.model.mark_forward_method("training_step")
        optimizer, self.rates = task.optimizer(schedule.order.steps, self.position.step)
        self.optimizer = cast(Optimizer, fabric.setup_optimizers(optimizer))
        self.average = Average(task, decay)
        self.learnt = Learnt(task, optimizer, self.average, scaler)
        if state:
            restore(state, self.learnt)
        self.metrics, self.report, self.speed = MetricsFile(folder, task.terms), Report(folder), Speed()

    def run(self, train: Iterable[Any], val: Batches | None) -> None:
        """Learn to the end of the run; an interruption loses nothing."""
        position, order = self.position, self.schedule.order
        position.rows = self.metrics.start(position.step, position.rows)
        with ExitStack() as stack:
            self.signals = stack.enter_context(Signals())
            self.board = stack.enter_context(board_of(self.folder, position.step)) if is_first() else None
            self.bar = stack.enter_context(StepProgress(order.steps, order.epoch(order.steps - 1) + 1))
            self.bar.show(position.step)
            try:
                self._learn(train, val)
            except BaseException as error:
                if isinstance(error, RunInterrupted) and position.step > 0:
                    self._save()
                    self.bar.note(f"interrupted at step {position.step}, which is saved: add --resume to go on")
                self.report.write()
                raise

    def step(self, batch: Any) -> Terms:
        """Learn from one batch as it was loaded, and count it; the terms of its loss."""
        task, position = self.task, self.position
        loss, terms = self.model.training_step(batch.to(self.fabric.device, non_blocking=True), position.step)
        stop_on_nan(self.folder, batch, position.step + 1, loss, self.name)
        self.fabric.backward(loss)
        if task.clip:
            self.fabric.clip_gradients(task, self.optimizer, max_norm=task.clip, error_if_nonfinite=False)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.rates.step()
        self.average.update()
        position.step += 1
        return terms

    def _learn(self, train: Iterable[Any], val: Batches | None) -> None:
        position, schedule, task = self.position, self.schedule, self.task
        if position.step > position.validated and schedule.validates(position.step):
            self._validate(val)  # a save came between
        task.train()
        self.speed.go_on()
        for batch in train:
            terms = self.step(batch)
            self.speed.add(schedule.order.batch_size)
            if position.step % schedule.log_every == 0:
                self._log("train", terms)
            self.bar.show(position.step)
            if schedule.validates(position.step):
                if position.step < schedule.order.steps:
                    self.signals.end_if_asked()
                self._validate(val)
            elif schedule.saves(position.step):
                self._save()
            self.signals.end_if_asked()
        self._save()
        self.report.write()

    @torch.no_grad()
    def _validate(self, val: Batches | None) -> None:
        """Score the averaged weights on unseen frames, and keep them where they are the best."""
        assert val is not None
        position, task = self.position, self.task
        self.speed.pause()
        task.eval()
        with self.average.in_place(), self.fabric.autocast():
            task.start_validation()
            drawn = set(np.linspace(0, len(val) - 1, DRAWN).round()) if self.board else set()
            shown = []
            for number, batch in enumerate(val):
                on_device = batch.to(self.fabric.device, non_blocking=True)
                task.validation_step(on_device)
                if number in drawn:
                    shown.append(on_device)
                # Several processes must end a validation, a last one every run; else it is done again on resuming.
                if world_size() == 1 and position.step < self.schedule.order.steps:
                    self.signals.end_if_asked()
            if self.board:
                task.draw(shown, self.folder, self.board, position.step)
            terms = task.end_validation()
        position.validated = position.step
        self._log("val", terms)
        error = task.error({name: float(value) for name, value in terms.items()})
        if error < position.best:
            position.best = error
            self._save_networks(BEST_FILE)
        if self.schedule.saves(position.step):
            self._save()
        self.report.now_and_then()
        task.train()
        self.speed.go_on()

    def _log(self, stage: str, terms: Terms) -> None:
        """One line in metrics.csv, and the same for TensorBoard and those who watch."""
        position = self.position
        values = {name: float(value) for name, value in terms.items()}
        shown = {"loss" if stage == "train" else "val": next(iter(values.values()))}
        self.bar.show(position.step, **shown, **{name: values[name] for name in values if name == "miou"})
        if stage == "train":
            values[SPEED] = self.speed.take()
        rate = float(self.learnt.optimizer.param_groups[0]["lr"])
        self.metrics.append(stage, position.step, self.schedule.order.epoch(position.step - 1), rate, values)
        position.rows += 1
        for name, value in values.items():
            position.metrics[f"{stage}/{name}"] = round(value, 6)
            if self.board:
                self.board.add_scalar(f"{stage}/{name}", value, position.step)
        if self.board and stage == "train":
            self.board.add_scalar("train/learning_rate", rate, position.step)
            self.board.add_scalar("train/epoch", self.schedule.order.epoch(position.step - 1), position.step)

    def _save(self) -> None:
        """Write what to resume from, and the networks."""
        if not all(bool(weights.isfinite().all()) for weights in self.task.parameters()):
            raise TrainingError(
                f"weights became no numbers at step {self.position.step}: the last save is intact; "
                "resume with a lower --learning_rate or --precision fp32"
            )
        if is_first():
            save_state(self.folder, self.position, self.learnt)
        self._save_networks(LAST_FILE)
        wait_for_all()

    def _save_networks(self, name: str) -> None:
        if is_first():
            with self.average.in_place():
                self.task.save(self.folder / name, self.position.step, self.position.metrics)


def board_of(folder: Path, step: int) -> SummaryWriter:
    """TensorBoard's log of a run; what an earlier start logged after `step` is forgotten."""
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
