"""What every training run shares: its folder, its device, its precision and its trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
import yaml
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger

from depth_node.errors import TrainingError
from depth_node.training.run_saver import RESUME_FILE

CONFIG_FILE = "config.yaml"
PRECISIONS: dict[str, Any] = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def resume_state(folder: Path, resume: bool) -> Path | None:
    """The state to go on from, None for a fresh start.

    Raises:
        TrainingError: there is nothing to resume, or a fresh start would mix with files of an earlier run.
    """
    state = folder / RESUME_FILE
    if resume:
        if not state.exists():
            raise TrainingError(f"{folder} holds no {RESUME_FILE} to resume: start without --resume")
        return state
    if folder.exists() and any(folder.iterdir()):
        raise TrainingError(f"{folder} already holds files: add --resume to go on, or choose another --output")
    return None


def choose_accelerator(device: str) -> str:
    """'cpu' or 'cuda' for 'auto', 'cpu' or 'cuda'; raises TrainingError where there is no CUDA device."""
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("no CUDA device found: use --device cpu, or install a CUDA build of torch and its driver")
    return device if device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")


def write_config(folder: Path, flat: Mapping[str, Any]) -> None:
    """Write the settings of a run, dotted name to value, to its folder; raises TrainingError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE).write_text(yaml.safe_dump(dict(flat), sort_keys=False))
    except OSError as error:
        raise TrainingError(f"cannot write run folder {folder}: {error.strerror}") from None


def make_trainer(
    folder: Path,
    accelerator: str,
    precision: str,
    epochs: int,
    steps: int,
    log_every: int,
    callbacks: Sequence[Callback],
    validate_every: int | None = None,
    validate: bool = True,
) -> lightning.Trainer:
    """A trainer that logs to TensorBoard in `folder`.

    Args:
        folder: the run folder.
        accelerator: see `choose_accelerator`.
        precision: 'auto', 'fp32', 'bf16' or 'fp16'; 'auto' is bf16 where a GPU has it.
        epochs: passes over the training data, where `steps` is 0.
        steps: steps to stop after; 0 for none.
        log_every: steps between two log entries.
        callbacks: in order.
        validate_every: steps between two validations; without it, one per epoch.
        validate: off leaves validation out.
    """
    return lightning.Trainer(
        accelerator=accelerator,
        devices="auto" if accelerator == "cuda" else 1,
        precision=PRECISIONS[_precision(precision, accelerator)],
        max_epochs=-1 if steps else epochs,
        max_steps=steps or -1,
        callbacks=list(callbacks),
        logger=TensorBoardLogger(folder, name="", version=""),
        log_every_n_steps=log_every,
        num_sanity_val_steps=0,
        val_check_interval=validate_every,
        check_val_every_n_epoch=None if validate_every else 1,
        limit_val_batches=1.0 if validate else 0,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


def _precision(asked: str, accelerator: str) -> str:
    if asked != "auto":
        return asked
    return "bf16" if accelerator == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
