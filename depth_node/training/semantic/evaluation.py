# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A trained semantic network against labelled pictures: its scores, and what it sees as a picture."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from depth_node.camera.network_input import to_network_input
from depth_node.datasets.labelled_dataset import LabelledDataset, collate
from depth_node.drawing.colorize import color_labels
from depth_node.networks.semantic import SemanticNetwork
from depth_node.training.semantic.scores import SemanticScores, add_batch, confusion_metric

SHOWN = 6
WIDEST_PANEL = 480


@torch.no_grad()
def evaluate_semantic(
    network: SemanticNetwork, dataset: LabelledDataset, batch_size: int = 4, device: str = "cpu"
) -> SemanticScores:
    """Scores of a network in evaluation mode over all pictures, at the data set's size.

    Raises:
        SequenceError: a file cannot be read.
    """
    network = network.to(device).eval()
    confusion = confusion_metric(network.classes).to(device)
    for batch in DataLoader(dataset, batch_size, collate_fn=collate):
        logits = network(to_network_input(batch.image.to(device))).logits
        labels = batch.labels.to(device)
        add_batch(confusion, network.labels(logits, *labels.shape[-2:]), labels)
    return SemanticScores.of(confusion.compute(), network.classes.names)


@torch.no_grad()
def predictions_picture(network: SemanticNetwork, dataset: LabelledDataset, count: int = SHOWN) -> NDArray[np.uint8]:
    """Some pictures, evenly from the whole set, a row each: picture, labels, prediction.

    Returns:
        (count * h, 3 w, 3) uint8 RGB; unlabelled pixels are black.
    """
    network = network.eval()
    device = next(network.parameters()).device
    count = min(count, len(dataset))
    rows = []
    for index in (i * len(dataset) // count for i in range(count)):
        sample = dataset[index]
        logits = network(to_network_input(sample.image[None].to(device))).logits
        predicted = network.labels(logits, *sample.labels.shape)[0].cpu().numpy()
        panels = [sample.image.numpy()]
        panels += [color_labels(labels, network.classes) for labels in (sample.labels.numpy(), predicted)]
        rows.append(np.hstack([_narrow(panel) for panel in panels]))
    return np.vstack(rows)


def _narrow(panel: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = panel.shape[:2]
    if width <= WIDEST_PANEL:
        return panel
    size = (WIDEST_PANEL, round(height * WIDEST_PANEL / width))
    return np.asarray(cv2.resize(panel, size, interpolation=cv2.INTER_AREA), np.uint8)
