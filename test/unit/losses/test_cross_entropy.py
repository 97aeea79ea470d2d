# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Cross entropy of upsampled scores, against numbers by hand."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from depth_node.losses.cross_entropy import semantic_loss


def test_equal_scores_cost_the_log_of_the_number_of_classes():
    labels = torch.randint(0, 5, (2, 16, 16)).to(torch.uint8)
    assert float(semantic_loss(torch.zeros(2, 5, 4, 4), labels)) == pytest.approx(math.log(5))


def test_unlabelled_pixels_do_not_count():
    torch.manual_seed(0)
    logits, labels = torch.randn(1, 3, 2, 2), torch.randint(0, 3, (1, 8, 8)).to(torch.uint8)
    hidden = labels.clone()
    hidden[:, :, 4:] = 255
    upsampled = F.interpolate(logits, (8, 8), mode="bilinear", align_corners=False)[..., :4]
    expected = F.cross_entropy(upsampled, labels[..., :4].long())
    torch.testing.assert_close(semantic_loss(logits, hidden), expected)


def test_without_labels_the_loss_is_zero_and_can_be_trained_on():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    for pixels in (0, 16):
        loss = semantic_loss(logits, torch.full((1, 8, 8), 255, dtype=torch.uint8), torch.ones(3), pixels)
        loss.backward()
        assert float(loss.detach()) == 0.0
    assert logits.grad.abs().sum() == 0.0


def test_weights_are_those_of_the_labels():
    torch.manual_seed(0)
    logits, labels = torch.randn(1, 3, 8, 8), torch.randint(0, 3, (1, 8, 8)).to(torch.uint8)
    weights = torch.tensor([1.0, 0.0, 3.0])
    torch.testing.assert_close(semantic_loss(logits, labels, weights), F.cross_entropy(logits, labels.long(), weights))


def test_drawn_pixels_have_the_same_expectation():
    torch.manual_seed(0)
    logits, labels = 3 * torch.randn(2, 4, 8, 8), torch.randint(0, 4, (2, 32, 32)).to(torch.uint8)
    whole = semantic_loss(logits, labels)
    drawn = torch.stack([semantic_loss(logits, labels, pixels=4096) for _ in range(20)])
    assert float(drawn.std()) > 0.0
    torch.testing.assert_close(drawn.mean(), whole, rtol=0.02, atol=0.0)
