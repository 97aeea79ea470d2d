# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The one interface of what computes the networks; nothing it imports builds a network or needs PyTorch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth_node.checkpoints.depth_info import CheckpointInfo
from depth_node.config.classes import ClassMap
from depth_node.config.network import DISPARITIES, LOGITS, SCALES
from depth_node.errors import CheckpointError
from depth_node.inference.prediction import StageClock

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def live_outputs(info: CheckpointInfo, present: Collection[str], height: int, width: int, batch: int) -> list[str]:
    """Names of what the live node takes of an exported network, in the order of `GraphBackend.compute`.

    Args:
        info: the network's description.
        present: names of all outputs.
        height: of the input, pixels.
        width: of the input, pixels.
        batch: images that it takes at once; 0 any number.

    Raises:
        CheckpointError: it is another network than the description says, or one of an earlier version.
    """
    if (height, width) != (info.network.height, info.network.width) or batch > 1:
        raise CheckpointError(
            f"the network takes {batch or 'any number of'} images of {width}x{height}, the live node shows it one of "
            f"{info.network.width}x{info.network.height}: export it again"
        )
    wanted = [*DISPARITIES, *([LOGITS] if info.semantic else [])]
    if not set(wanted) <= set(present):
        raise CheckpointError("the network lacks outputs that the live node needs: export it again with this version")
    return wanted


class Outputs(NamedTuple):
    """What the networks make of B images of H x W pixels.

    Attributes:
        disparities: (B, 1, H / 2^i, W / 2^i) float32 in 0..1, finest first.
        logits: (B, N, H / 4, W / 4) float32, one score per class; None without a semantic network, or where it did
            not run.
    """

    disparities: list[Tensor]
    logits: Tensor | None = None


class Backend(ABC):
    """Loaded networks that turn batches into disparities and class scores.

    Depth in metres, classes, sky and confidence are made of these in float32, whatever computes the networks
    (`inference.engine`).

    Attributes:
        name: as the parameter `backend` takes it.
        info: the checkpoint's description.
        classes: what scores stand for; None without a semantic network.
        device: where batches and outputs lie.
        precision: arithmetic of the convolutions, 'fp32', 'bf16' or 'fp16'.
        batches: whether `run` takes more than one image at a time.
    """

    name: str
    info: CheckpointInfo
    classes: ClassMap | None
    device: torch.device | str
    precision: str
    batches: bool = True

    @abstractmethod
    def run(self, batch: Tensor, scales: int, wants_logits: bool, clock: StageClock | None = None) -> Outputs:
        """Compute a batch.

        Args:
            batch: (B, 3, H, W) float32 RGB in 0..1 on `device`, at the network's size.
            scales: how many disparities are wanted, 1 to 4; there may be more.
            wants_logits: class scores are wanted, where there is a semantic network; they may come all the same.
            clock: gets a lap for each stage but the last.
        """

    def __str__(self) -> str:
        """Name and arithmetic, for a log."""
        return f"{self.name} {self.precision}"


class GraphBackend(Backend):
    """One compiled graph on the CPU that gives all scales and scores at once, of one image at a time.

    Attributes:
        compute: (1, 3, H, W) to arrays of their own memory: the disparities finest first, then the scores where there
            is a semantic network. Who has no tensors takes this instead of `run`.
    """

    device = "cpu"
    batches = False

    def __init__(
        self,
        name: str,
        info: CheckpointInfo,
        precision: str,
        compute: Callable[[NDArray[np.float32]], Sequence[NDArray[Any]]],
    ) -> None:
        """Take over a graph.

        Args:
            name: of the runtime.
            info: the checkpoint's description.
            precision: what it computes in.
            compute: see the class.
        """
        self.name, self.info, self.precision = name, info, precision
        self.classes = info.semantic.classes if info.semantic else None
        self.compute = compute

    def run(
        self,
        batch: Tensor,
        scales: int,
        wants_logits: bool,
        clock: StageClock | None = None,  # noqa: ARG002 (one stage only)
    ) -> Outputs:
        """See `Backend.run`."""
        import torch

        found = [torch.from_numpy(array) for array in self.compute(np.ascontiguousarray(batch.numpy()))]
        return Outputs(found[:scales], found[SCALES] if wants_logits and self.classes else None)
