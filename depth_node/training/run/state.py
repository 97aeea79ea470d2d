# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`last.ckpt`: everything that a run needs to go on exactly where its last save left it."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer

from depth_node.atomic_file import replacing
from depth_node.errors import OutputError, TrainingError, first_line
from depth_node.training.average import Average

RESUME_FILE = "last.ckpt"


@dataclass
class Position:
    """Where a run is.

    Attributes:
        step: steps that are done.
        validated: the step that was validated last; a save may lie between a step and its validation.
        best: the least error of all validations.
        rows: lines of metrics.csv that belong to the run so far.
        metrics: the latest terms of this start, as 'train/name' and 'val/name'; not saved.
    """

    step: int = 0
    validated: int = 0
    best: float = math.inf
    rows: int = 0
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Learnt:
    """What a run changes as it goes.

    Attributes:
        networks: all weights and statistics.
        optimizer: of those weights.
        average: of those weights.
        scaler: of losses in half precision, None in any other.
    """

    networks: nn.Module
    optimizer: Optimizer
    average: Average
    scaler: GradScaler | None


def save_state(folder: Path, position: Position, learnt: Learnt) -> None:
    """Write `last.ckpt`, whole or not at all; raises OutputError."""
    place = asdict(position)
    del place["metrics"]
    state = {
        "position": place,
        "networks": learnt.networks.state_dict(),
        "optimizer": learnt.optimizer.state_dict(),
        "average": learnt.average.state_dict(),
        "scaler": learnt.scaler.state_dict() if learnt.scaler else {},
    }
    try:
        with replacing(folder / RESUME_FILE) as temporary:
            torch.save(state, temporary)
    except RuntimeError as error:  # how torch tells of a full disk
        raise OutputError(f"cannot write {folder / RESUME_FILE}: {first_line(error)}") from None


def read_state(path: Path) -> dict[str, Any]:
    """What `save_state` has written, memory-mapped; raises TrainingError where that cannot be read."""
    instead = f"start another run with --initial {path.with_suffix('.safetensors')}"
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        if "global_step" in state:
            raise TrainingError(f"{path} was saved by version 0.2 or before, which cannot be resumed: {instead}")
        Position(**state["position"])
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path} is damaged ({first_line(error)}): {instead}") from None
    return state


def restore(state: Mapping[str, Any], learnt: Learnt) -> None:
    """Put a read state back.

    Rates and other options of the optimizer are the present settings', not the save's: who resumes with a lower
    --learning_rate means it, and a run that goes on for more --steps has their schedule.
    """
    learnt.networks.load_state_dict(state["networks"])
    # The save numbers the weights through all groups, so that it fits however many groups they are in now.
    groups = learnt.optimizer.state_dict()["param_groups"]
    learnt.optimizer.load_state_dict({**state["optimizer"], "param_groups": groups})
    learnt.average.load_state_dict(state["average"])
    if learnt.scaler and state["scaler"]:
        learnt.scaler.load_state_dict(state["scaler"])
