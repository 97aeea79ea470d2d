# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Random views of a picture: geometry stays that of a real camera, whatever is cropped, squashed, rolled, mirrored."""

from __future__ import annotations

import math

import pytest
import torch

from depth_node.config.pretraining import LooksConfig
from depth_node.datasets.street_looks import look

PLAIN = {"bars": 0.0, "color": 0.0, "grey": 0.0, "blur": 0.0, "noise": 0.0}
H, W, FOCAL = 96, 256, 150.0


def views(config: LooksConfig, count: int = 6, size: tuple[int, int] = (64, 192)):
    """Views of a picture whose red is the column and green the row of the source, on a level road below a camera."""
    y, x = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    image = torch.stack([x, y * 2, torch.full_like(x, 128)], -1).to(torch.uint8)
    row = y.float() - (H - 1) / 2
    depth = torch.where(row > 2, FOCAL * 1.5 / row.clamp_min(1e-3), math.inf)
    labels = (y > H // 2).to(torch.uint8)
    images, depths, classes = (t.expand(count, *t.shape) for t in (image, depth, labels))
    drawn = torch.Generator().manual_seed(4)
    return look(images, depths, classes, torch.full((count,), FOCAL), size, 111.0, config, drawn)


def test_depth_is_told_for_the_reference_focal_length():
    batch = views(LooksConfig(crop=0.6, squash=1.5, roll=0.0, **PLAIN))
    for image, depth in zip(batch.image, batch.depth[:, 0], strict=True):
        source_row = image[1] * 255 / 2
        # The view's rows step through the source's by this much, so its focal length is that of the source over it.
        step = (source_row[40, 96] - source_row[20, 96]) / 20
        focal = FOCAL / step
        below = source_row[50, 96].round() - (H - 1) / 2
        assert float(depth[50, 96]) == pytest.approx(float(FOCAL * 1.5 / below * 111.0 / focal), rel=0.03)


def test_image_depth_and_labels_stay_together():
    batch = views(LooksConfig(crop=0.5, squash=2.0, roll=5.0, **PLAIN))
    row = batch.image[:, 1] * 255 / 2
    sure = (row - H // 2 - 0.5).abs() > 1.0
    known = (batch.labels != 255) & sure
    assert known.float().mean() > 0.8
    assert torch.equal(batch.labels[known] == 1, row[known] > H // 2 + 0.5)
    far = torch.isinf(batch.depth[:, 0])
    assert torch.equal(
        far[known & ((row - H / 2 - 2).abs() > 1)], (row < H / 2 + 2)[known & ((row - H / 2 - 2).abs() > 1)]
    )


def test_some_are_mirrored_and_no_two_alike():
    batch = views(LooksConfig(crop=0.5, squash=1.2, roll=0.0, **PLAIN), count=12)
    rising = batch.image[:, 0, 32, 150] > batch.image[:, 0, 32, 40]
    assert 0 < int(rising.sum()) < 12
    assert len({round(float(one[0, 10, 10]), 4) for one in batch.image}) == 12


def test_colors_change_and_stay_in_range():
    plain, changed = views(LooksConfig(roll=0.0, **PLAIN)), views(LooksConfig(roll=0.0))
    assert float((plain.image - changed.image).abs().mean()) > 0.05
    assert 0 <= float(changed.image.min()) <= float(changed.image.max()) <= 1


def test_bars_carry_edges_on_and_have_no_depth():
    batch = views(LooksConfig(roll=0.0, **(PLAIN | {"bars": 1.0})), count=8, size=(64, 256))
    column, known = batch.image[:, 0] * 255, batch.labels != 255
    for i in range(8):
        seen = known[i, 32]
        first = int(seen.nonzero()[0])
        assert 16 < first < 48  # the source is 2.7 times as wide as high, the view four times
        assert int(seen.sum()) == pytest.approx(256 - 2 * first, abs=1)
        assert not batch.depth[i, 0, :, : first - 1].any()
        assert float(column[i, 32, :first].std()) < 1.0
        # Not squashed: a source's pixel is as wide as it is high.
        wide = abs(float(column[i, 32, 140] - column[i, 32, 110])) / 30
        high = float(batch.image[i, 1, 50, 128] - batch.image[i, 1, 20, 128]) * 255 / 2 / 30
        assert wide == pytest.approx(high, rel=0.05)
