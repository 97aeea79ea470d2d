# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics of parts of the pixels, by semantic class or by range of depth, and their averages over the parts.

Paper A leaves two rules open (docs/papers.md, Evaluation); both are kept. 'dataset': a part's metrics are
over all its pixels of all images. 'image': they are computed per image and averaged over the images that have the
part. Either way the average over the parts is unweighted, and each image was scaled once, over all its pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.evaluation.metrics import DepthMetrics, mean_metrics, root_errors


@dataclass(frozen=True)
class PartErrors:
    """Errors of one image, summed by part.

    names: of the G parts; pixels (G,) how many each has; sums (G,7) of `pixel_errors` over them.
    """

    names: tuple[str, ...]
    pixels: NDArray[np.int64]
    sums: NDArray[np.float64]

    @classmethod
    def of(cls, errors: NDArray[np.float64], parts: NDArray[np.integer], names: Sequence[str]) -> PartErrors:
        """Sum by part.

        Args:
            errors: (7,N) as `pixel_errors` gives.
            parts: (N,) number of each pixel's part; those outside 0 to G - 1 belong to none.
            names: of the G parts.
        """
        count = len(names)
        numbers = np.where((parts >= 0) & (parts < count), parts, count).astype(np.int64)
        pixels = np.bincount(numbers, minlength=count + 1)[:count]
        sums = [np.bincount(numbers, weights=row, minlength=count + 1)[:count] for row in errors]
        return cls(tuple(names), pixels, np.stack(sums, axis=1))


@dataclass(frozen=True)
class PartMetrics:
    """One part over all images: pixels, images that have any, and its metrics by both rules."""

    name: str
    pixels: int
    images: int
    by_dataset: DepthMetrics
    by_image: DepthMetrics

    @classmethod
    def of(cls, name: str, pixels: Sequence[int], sums: Sequence[NDArray[np.float64]]) -> PartMetrics:
        """Summarise the images that have the part: pixels (F,), all positive, and sums (F,7)."""
        counts, rows = np.array(pixels), np.array(sums)
        return cls(
            name,
            int(counts.sum()),
            len(counts),
            DepthMetrics(*root_errors(rows.sum(axis=0) / counts.sum()).tolist()),
            DepthMetrics(*root_errors(rows / counts[:, None]).mean(axis=0).tolist()),
        )

    def by(self, rule: str) -> DepthMetrics:
        """Metrics by rule 'dataset' or 'image'."""
        return self.by_dataset if rule == "dataset" else self.by_image


@dataclass(frozen=True)
class Breakdown:
    """All parts that have pixels, in the order of their numbers; images that were split at all."""

    parts: tuple[PartMetrics, ...]
    images: int

    @classmethod
    def of(cls, images: Iterable[PartErrors]) -> Breakdown:
        """Collect images; parts of equal name are one, whatever their number in each image."""
        found: dict[str, tuple[list[int], list[NDArray[np.float64]]]] = {}
        count = 0
        for image in images:
            count += 1
            for name, pixels, sums in zip(image.names, image.pixels, image.sums, strict=True):
                counts, rows = found.setdefault(name, ([], []))
                if pixels:
                    counts.append(int(pixels))
                    rows.append(sums)
        parts = (PartMetrics.of(name, counts, rows) for name, (counts, rows) in found.items() if counts)
        return cls(tuple(parts), count)

    def averaged(self, min_pixels: int = 1) -> tuple[PartMetrics, ...]:
        """The parts that count in the average: those with at least `min_pixels` pixels in all."""
        return tuple(part for part in self.parts if part.pixels >= min_pixels)

    def average(self, rule: str = "dataset", min_pixels: int = 1) -> DepthMetrics | None:
        """Unweighted mean over the parts by rule 'dataset' or 'image'; None where no part has enough pixels."""
        parts = self.averaged(min_pixels)
        return mean_metrics(part.by(rule) for part in parts) if parts else None

    def record(self, min_pixels: int = 1) -> dict[str, Any]:
        """Everything, ready for JSON: the averages by both rules and each part by its name."""
        averages = {f"by_{rule}": self.average(rule, min_pixels) for rule in ("dataset", "image")}
        each = {part.name: asdict(part) for part in self.parts}
        for part in each.values():
            del part["name"]
        return {
            "images": self.images,
            "averaged": [part.name for part in self.averaged(min_pixels)],
            "average": {name: asdict(metrics) if metrics else None for name, metrics in averages.items()},
            "each": each,
        }


def range_parts(depth: NDArray[np.floating], edges: Sequence[float]) -> tuple[NDArray[np.integer], tuple[str, ...]]:
    """Number of each depth's range, (N,), low <= depth < high, and the names of the ranges ('10-20 m').

    Args:
        depth: (N,) metres.
        edges: ascending, metres; depths outside get -1 or the number of ranges.
    """
    names = tuple(f"{low:g}-{high:g} m" for low, high in pairwise(edges))
    return np.searchsorted(np.asarray(edges), depth, side="right") - 1, names
