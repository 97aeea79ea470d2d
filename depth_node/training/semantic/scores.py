# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How well labels are predicted: intersection over union per class and on average."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix

from depth_node.config.classes import UNLABELLED, ClassMap


@dataclass(frozen=True)
class SemanticScores:
    """Scores over all labelled pixels of a set of pictures.

    Attributes:
        names: of the classes.
        iou: intersection over union of each class, 0..1; NaN where neither labels nor predictions have it.
        share: share of each class among the labelled pixels.
        miou: mean of `iou` over the classes that the labels have; NaN without labels.
        accuracy: share of pixels with the right class; NaN without labels.
    """

    names: tuple[str, ...]
    iou: tuple[float, ...]
    share: tuple[float, ...]
    miou: float
    accuracy: float

    @classmethod
    def of(cls, confusion: Tensor, names: Sequence[str]) -> SemanticScores:
        """Scores of a confusion matrix (N, N): rows are labels, columns predictions, entries pixels."""
        counts = confusion.double().cpu()
        right, labelled, predicted = counts.diagonal(), counts.sum(1), counts.sum(0)
        iou = right / (labelled + predicted - right)  # 0 / 0 is NaN: the class does not occur
        total = labelled.sum()
        return cls(
            names=tuple(names),
            iou=tuple(iou.tolist()),
            share=tuple((labelled / total).tolist()),
            miou=float(iou[labelled > 0].mean()),
            accuracy=float(right.sum() / total),
        )

    def table(self) -> str:
        """Lines of text: each class that occurs with its IoU and share, most frequent first, then the means."""
        order = sorted(range(len(self.names)), key=lambda index: -self.share[index])
        rows = [(self.names[i], self.iou[i], self.share[i]) for i in order if not math.isnan(self.iou[i])]
        lines = [f"{'class':<16}{'IoU':>8}{'pixels':>9}"]
        lines += [f"{name:<16}{iou:8.3f}{share:9.2%}" for name, iou, share in rows]
        present = sum(share > 0 for share in self.share)
        lines.append(f"mIoU {self.miou:.4f} over {present} classes, accuracy {self.accuracy:.4f}")
        return "\n".join(lines)

    def record(self) -> dict[str, Any]:
        """JSON values; null stands for what nothing is known of."""
        by_class = {
            key: {name: _known(value) for name, value in zip(self.names, numbers, strict=True)}
            for key, numbers in (("iou", self.iou), ("share", self.share))
        }
        return {"miou": _known(self.miou), "accuracy": _known(self.accuracy), **by_class}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def confusion_metric(classes: ClassMap) -> MulticlassConfusionMatrix:
    """Counts labels (rows) against predictions (columns); unlabelled pixels are left out."""
    return MulticlassConfusionMatrix(len(classes), ignore_index=UNLABELLED, validate_args=False)


def add_batch(metric: MulticlassConfusionMatrix, predicted: Tensor, labels: Tensor) -> None:
    """Count (B, H, W) uint8 predictions against labels."""
    # Only labelled pixels go in: half of some data sets is not.
    known = labels != UNLABELLED
    if known.any():
        metric.update(predicted[known].to(torch.int64), labels[known].to(torch.int64))
