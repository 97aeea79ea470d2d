# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What every training run shares: its folder, its device, its precision and its processes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from lightning.fabric import Fabric, seed_everything
from lightning.fabric.plugins import MixedPrecision
from lightning.fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from lightning.fabric.strategies import DDPStrategy
from torch.amp.grad_scaler import GradScaler

from depth_node.atomic_file import replacing
from depth_node.distributed import local_world_size, world_size
from depth_node.errors import TrainingError
from depth_node.training.run.earlier_run import SETTINGS_FILE, STAGE_1, TWO_STAGE_FILE
from depth_node.training.run.state import RESUME_FILE

BEST_FILE, LAST_FILE = "best.safetensors", "last.safetensors"
PRECISIONS: dict[str, Any] = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def resume_state(folder: Path, resume: bool | None) -> Path | None:
    """The state to go on from, None for a fresh start.

    Args:
        folder: the run folder.
        resume: go on from its last save (True), start in a folder without files (False), or whichever of both is
            possible (None); a run that was ended before its first save is then started again.

    Raises:
        TrainingError: there is nothing to resume, or a fresh start would mix with files of an earlier run.
    """
    state = folder / RESUME_FILE
    if state.exists() and resume is not False:
        return state
    if (folder / TWO_STAGE_FILE).exists() or (folder / STAGE_1).is_dir():
        raise TrainingError(f"{folder} holds a two-stage run: add --two-stage --resume, or choose another --output")
    if resume:
        raise TrainingError(f"{folder} holds no {RESUME_FILE} to resume: start without --resume")
    if resume is False or not (folder / SETTINGS_FILE).exists():
        check_unused(folder)
    return None


def check_unused(folder: Path) -> None:
    """See that a fresh run can be put into a folder; raises TrainingError."""
    if folder.exists() and not folder.is_dir():
        raise TrainingError(f"{folder} is a file: choose another --output")
    if folder.exists() and any(folder.iterdir()):
        raise TrainingError(f"{folder} already holds files: add --resume to go on, or choose another --output")


def share_of_batch(batch_size: int) -> int:
    """How many samples of a global batch each process takes; raises TrainingError where they do not come out even."""
    if batch_size % world_size():
        raise TrainingError(
            f"a batch of {batch_size} cannot be shared evenly by {world_size()} processes: "
            f"choose a --batch_size that is a multiple of {world_size()}"
        )
    return batch_size // world_size()


def choose_accelerator(device: str) -> str:
    """'cpu' or 'cuda' for 'auto', 'cpu' or 'cuda'; raises TrainingError where there is no CUDA device."""
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("no CUDA device found: use --device cpu, or install a CUDA build of torch and its driver")
    chosen = device if device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    if chosen == "cuda" and local_world_size() > torch.cuda.device_count():
        raise TrainingError(
            f"{local_world_size()} processes need a GPU each, this machine has {torch.cuda.device_count()}: "
            "start fewer with --nproc-per-node, or use --device cpu"
        )
    return chosen


def write_config(folder: Path, flat: Mapping[str, Any]) -> None:
    """Write the settings of a run, dotted name to value, to its folder, as --config reads them; raises OutputError."""
    with replacing(folder / SETTINGS_FILE) as temporary:
        temporary.write_text(yaml.safe_dump(dict(flat), sort_keys=False))


def make_fabric(accelerator: str, precision: str, seed: int) -> tuple[Fabric, GradScaler | None]:
    """Device, arithmetic and processes of a run, connected to the other processes of torchrun; seeds everything.

    Args:
        accelerator: see `choose_accelerator`.
        precision: 'auto', 'fp32', 'bf16' or 'fp16'; 'auto' is bf16 where a GPU has it.
        seed: of random numbers.

    Returns:
        The fabric, and the scaler of losses that fp16 needs, None for the others.
    """
    # Lightning's hints (workers, log intervals) are for its developers; ours are one line each.
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning")
    chosen = _precision(precision, accelerator)
    scaler = GradScaler(accelerator) if chosen == "fp16" else None
    plugins: list[Any] = [TorchElasticEnvironment() if world_size() > 1 else LightningEnvironment()]
    if scaler:
        plugins.append(MixedPrecision("16-mixed", accelerator, scaler))  # brings the precision along
    # Several processes: the graph is the same in each step, and weights that nothing teaches are found in the first.
    # Statistics of batch normalisation are common or each process's own, so that nothing is to be sent around.
    several = DDPStrategy(static_graph=True, broadcast_buffers=False)
    fabric = Fabric(
        accelerator=accelerator,
        devices=local_world_size(),
        num_nodes=world_size() // local_world_size(),
        strategy=several if world_size() > 1 else "auto",
        precision=None if scaler else PRECISIONS[chosen],
        plugins=plugins,
    )
    fabric.launch()
    seed_everything(seed, workers=True, verbose=False)
    return fabric, scaler


def _precision(asked: str, accelerator: str) -> str:
    if asked != "auto":
        return asked
    return "bf16" if accelerator == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
