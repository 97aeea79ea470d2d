# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The Lightning module of a semantic network: cross entropy, AdamW, a decaying rate."""

from __future__ import annotations

import math
from typing import Any

import lightning
import torch
from torch import Tensor

from depth_node.camera.network_input import to_network_input
from depth_node.config.semantic_training import SemanticTrainConfig
from depth_node.datasets.labelled_augmentation import LabelledAugmentation
from depth_node.datasets.labelled_dataset import LabelledSample
from depth_node.datasets.randomness import Purpose, key_of
from depth_node.losses.cross_entropy import semantic_loss
from depth_node.networks.semantic import SemanticNetwork
from depth_node.training.optimizer import schedule
from depth_node.training.semantic.scores import SemanticScores, add_batch, confusion_metric

POLY_POWER = 0.9


class SemanticModule(lightning.LightningModule):
    """A semantic network that learns from labelled pictures.

    Attributes:
        network: what is trained.
        scores: of the last validation, None before.
        steps_done: steps of the run that are behind when training begins; more than 0 in a resumed run.
    """

    weights: Tensor | None

    def __init__(self, network: SemanticNetwork, config: SemanticTrainConfig, weights: Tensor | None = None) -> None:
        """Prepare to train.

        Args:
            network: not frozen.
            config: how to train.
            weights: (N,) weight of each class; without it all count alike.
        """
        super().__init__()
        self.config = config
        self.network = network
        self.augmentation = LabelledAugmentation(config)
        self.confusion = confusion_metric(network.classes)
        self.scores: SemanticScores | None = None
        self.steps_done = 0
        self.register_buffer("weights", weights, persistent=False)

    def training_step(self, batch: LabelledSample, _: int) -> Tensor:
        """One batch: augment, predict, score."""
        # What is drawn depends on seed and step alone, so that a resumed run goes on as it would have.
        torch.manual_seed(key_of(Purpose.ELSE, self.config.seed, self.trainer.global_step))
        images, labels = self.augmentation(to_network_input(batch.image), batch.labels)
        loss = semantic_loss(self.network(images).logits, labels, self.weights, self.config.pixels)
        self.log("train/loss", loss.detach())
        self.log("train_loss", loss.detach(), prog_bar=True, logger=False)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget what an interrupted validation has left."""
        self.confusion.reset()

    def validation_step(self, batch: LabelledSample, _: int) -> None:
        """Whole pictures without augmentation."""
        logits = self.network(to_network_input(batch.image)).logits
        count = len(batch.image)
        self.log("val/loss", semantic_loss(logits, batch.labels), batch_size=count)
        predicted = self.network.labels(logits, *batch.labels.shape[-2:])
        add_batch(self.confusion, predicted, batch.labels)

    def on_validation_epoch_end(self) -> None:
        """Scores over all of them."""
        self.scores = SemanticScores.of(self.confusion.compute(), self.network.classes.names)
        self.confusion.reset()
        self.log("val/miou", self.scores.miou, prog_bar=True)
        self.log("val/accuracy", self.scores.accuracy)

    def configure_optimizers(self) -> Any:
        """AdamW whose rate falls to nothing at the end of the run."""
        config = self.config
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        total = max(1, int(self.trainer.estimated_stepping_batches))
        falling = schedule(optimizer, lambda step: decay(config.decay, step / total), self.steps_done)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": falling, "interval": "step"}}


def decay(kind: str, progress: float) -> float:
    """Factor of the learning rate after a share of the run, 1 at its start and 0 at its end."""
    left = max(0.0, 1.0 - progress)
    return left**POLY_POWER if kind == "poly" else 0.5 - 0.5 * math.cos(math.pi * left)
