# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far another back end's depth and classes are from those of PyTorch in float32."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from depth_node.config.network import NetworkConfig
from depth_node.geometry.disparity import disparity_to_depth
from depth_node.inference.backends.interface import Outputs

if TYPE_CHECKING:
    from torch import Tensor

DEPTH_BOUND = 0.005
"""Largest mean relative difference of depth that passes."""
CLASS_BOUND = 0.01
"""Largest share of pixels with another class that passes."""


@dataclass(frozen=True)
class Drift:
    """The worst of some pictures.

    Attributes:
        depth: mean over the pixels of |depth - PyTorch's| / PyTorch's.
        classes: share of pixels with another best class; 0 without a semantic network.
    """

    depth: float = 0.0
    classes: float = 0.0

    @property
    def passes(self) -> bool:
        """Whether it is within both bounds; not a number is beyond."""
        return self.depth <= DEPTH_BOUND and self.classes <= CLASS_BOUND

    def worst(self, other: Drift) -> Drift:
        """The worse of two, of each part."""
        return Drift(*(_worse(*pair) for pair in ((self.depth, other.depth), (self.classes, other.classes))))

    def __str__(self) -> str:
        """In words, for a log."""
        classes = f", {100 * self.classes:.2g} % of the classes others" if self.classes else ""
        return f"depth {100 * self.depth:.2g} % from PyTorch's{classes}"


def drift_between(found: Outputs, exact: Outputs, network: NetworkConfig) -> Drift:
    """How far a back end's outputs for a picture are from PyTorch's in float32.

    Args:
        found: the back end's.
        exact: PyTorch's.
        network: with the depth range.
    """
    depth, expected = (_depth(outputs.disparities[0], network) for outputs in (found, exact))
    classes = 0.0
    if found.logits is not None and exact.logits is not None:
        classes = float((found.logits.argmax(1) != exact.logits.argmax(1)).float().mean())
    return Drift(float(((depth - expected).abs() / expected).mean()), classes)


def _depth(disparity: Tensor, network: NetworkConfig) -> Tensor:
    return disparity_to_depth(disparity.float(), network.min_depth, network.max_depth)


def _worse(one: float, other: float) -> float:
    """The larger of two; what is no number is larger than any."""
    return one if math.isnan(one) or one > other else other
