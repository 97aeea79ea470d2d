# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Semantic learning as a task of the loop: cross entropy, AdamW, a decaying rate."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from depth_node.camera.network_input import to_network_input
from depth_node.checkpoints.semantic import SemanticInfo, save_semantic
from depth_node.config.semantic_training import SemanticTrainConfig
from depth_node.datasets.labelled_augmentation import LabelledAugmentation
from depth_node.datasets.labelled_dataset import LabelledSample
from depth_node.datasets.randomness import Purpose, key_of
from depth_node.losses.cross_entropy import semantic_loss
from depth_node.networks.semantic import SemanticNetwork
from depth_node.training.optimizer import schedule
from depth_node.training.semantic.scores import SemanticScores, add_batch, confusion_metric
from depth_node.training.task import Task, Terms

POLY_POWER = 0.9


class SemanticModule(Task):
    """A semantic network that learns from labelled pictures.

    Attributes:
        network: what is trained.
        scores: of the last validation, None before.
    """

    terms = ("loss", "miou", "accuracy")
    weights: Tensor | None

    def __init__(
        self, network: SemanticNetwork, config: SemanticTrainConfig, info: SemanticInfo, weights: Tensor | None = None
    ) -> None:
        """Prepare to train.

        Args:
            network: not frozen.
            config: how to train.
            info: what checkpoints say.
            weights: (N,) weight of each class; without it all count alike.
        """
        super().__init__()
        self.config = config
        self.info = info
        self.network = network
        self.augmentation = LabelledAugmentation(config)
        self.confusion = confusion_metric(network.classes)
        self.scores: SemanticScores | None = None
        self._losses: list[Tensor] = []
        self.register_buffer("weights", weights, persistent=False)

    def training_step(self, batch: LabelledSample, step: int) -> tuple[Tensor, Terms]:
        """One batch: augment, predict, score."""
        # What is drawn depends on seed and step alone, so that a resumed run goes on as it would have.
        torch.manual_seed(key_of(Purpose.ELSE, self.config.seed, step))
        images, labels = self.augmentation(to_network_input(batch.image), batch.labels)
        loss = semantic_loss(self.network(images).logits, labels, self.weights, self.config.pixels)
        return loss, {"loss": loss.detach()}

    def start_validation(self) -> None:
        """See `Task`."""
        self.confusion.reset()
        self._losses = []

    def validation_step(self, batch: LabelledSample) -> None:
        """Whole pictures without augmentation."""
        logits = self.network(to_network_input(batch.image)).logits
        self._losses.append(semantic_loss(logits, batch.labels).repeat(len(batch.image)))
        predicted = self.network.labels(logits, *batch.labels.shape[-2:])
        add_batch(self.confusion, predicted, batch.labels)

    def end_validation(self) -> Terms:
        """Scores over all of them."""
        self.scores = SemanticScores.of(self.confusion.compute(), self.network.classes.names)
        self.confusion.reset()
        loss = torch.cat(self._losses).mean()
        return {"loss": loss, "miou": self.scores.miou, "accuracy": self.scores.accuracy}

    def error(self, validated: Mapping[str, float]) -> float:
        """Negative mIoU; NaN, without labels, is never better."""
        return -validated["miou"]

    def save(self, path: Path, steps: int, metrics: Mapping[str, float]) -> None:
        """Write a semantic checkpoint."""
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        training = {**self.info.training, "steps": steps, "metrics": finite}
        miou = metrics.get("val/miou", math.nan)
        save_semantic(path, dataclasses.replace(self.info, miou=miou, training=training), self.network)

    def optimizer(self, steps: int, done: int) -> tuple[Optimizer, LambdaLR]:
        """AdamW whose rate falls to nothing at the end of the run."""
        config = self.config
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        return optimizer, schedule(optimizer, lambda step: decay(config.decay, step / max(1, steps)), done)


def decay(kind: str, progress: float) -> float:
    """Factor of the learning rate after a share of the run, 1 at its start and 0 at its end."""
    left = max(0.0, 1.0 - progress)
    return left**POLY_POWER if kind == "poly" else 0.5 - 0.5 * math.cos(math.pi * left)
