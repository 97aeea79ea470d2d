# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A loss that is no number ends the run before it reaches the weights, and leaves the batch it came from."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from depth_node.atomic_file import replacing
from depth_node.distributed import largest, rank, world_size
from depth_node.errors import TrainingError
from depth_node.image_file import write_image

BATCH_FILE = "nan_batch"


def stop_on_nan(folder: Path, batch: Any, step: int, loss: Tensor, name: Callable[[int], str] = str) -> None:
    """End the run in all processes together where the loss of one is no number.

    The batch is left as it was loaded, in `nan_batch.safetensors`, with its step and the names of its frames in
    `nan_batch.json` and its pictures, a row for each sample, in `nan_batch.png`; of several processes each writes
    its own part, under its number.

    Args:
        folder: the run folder.
        batch: a dataclass of tensors with a leading B.
        step: of the run, from 1.
        loss: before it becomes a gradient.
        name: says what the sample of an index is called.

    Raises:
        TrainingError: the loss is no number.
    """
    value = float(loss.detach())
    bad = not math.isfinite(value)
    if bad:
        save_batch(folder, batch, step, value, name)
    culprit = largest(rank() + 1 if bad else 0)
    if culprit:
        raise TrainingError(
            f"the loss became no number at step {step}: its batch is in {batch_path(folder, culprit - 1)}, "
            "the weights of the last save are intact; resume with a lower --learning_rate or --precision fp32"
        )


def batch_path(folder: Path, process: int) -> Path:
    """Where a process of a given number leaves its batch."""
    return folder / (f"{BATCH_FILE}.safetensors" if world_size() == 1 else f"{BATCH_FILE}_{process}.safetensors")


def save_batch(folder: Path, batch: Any, step: int, loss: float, name: Callable[[int], str]) -> None:
    """Write a batch, a dataclass of tensors with a leading B; see `stop_on_nan`. Raises OutputError."""
    path = batch_path(folder, rank())
    tensors = {field.name: getattr(batch, field.name).detach().cpu().contiguous() for field in fields(batch)}
    indices = tensors.get("index", torch.arange(0)).tolist()
    record = {"step": step, "loss": str(loss), "frames": [name(index) for index in indices]}
    with replacing(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if pictures := _pictures(tensors):
        write_image(path.with_suffix(".png"), _contact_sheet(pictures))
    with replacing(path) as temporary:
        save_file(tensors, temporary)


def _pictures(tensors: dict[str, Tensor]) -> list[Tensor]:
    """All tensors that are pictures, as uint8 RGB with channels last."""
    stored = [tensor for tensor in tensors.values() if tensor.dtype == torch.uint8 and tensor.shape[-1] == 3]
    planes = [
        tensor
        for tensor in tensors.values()
        if tensor.is_floating_point() and tensor.ndim == 4 and tensor.shape[1] == 3
    ]
    return stored + [(255 * tensor.nan_to_num()).clamp(0, 255).byte().permute(0, 2, 3, 1) for tensor in planes]


def _contact_sheet(pictures: list[Tensor]) -> np.ndarray:
    """(B * H, n * W, 3) uint8 RGB, a row for each sample."""
    columns = [picture for tensor in pictures for picture in (tensor.unbind(1) if tensor.ndim == 5 else [tensor])]
    return np.concatenate([column.flatten(0, 1).numpy() for column in columns], 1)
