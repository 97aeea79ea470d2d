# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every class is in the legend with its colour."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.config.classes import CAMVID, CITYSCAPES
from depth_node.drawing.class_legend import draw_legend


@pytest.mark.parametrize("classes", [CITYSCAPES, CAMVID], ids=["cityscapes", "camvid"])
def test_every_colour_is_there(classes):
    picture = draw_legend(classes)
    there = {tuple(color) for color in np.unique(picture.reshape(-1, 3), axis=0).tolist()}
    assert set(classes.colors) <= there
    assert picture.dtype == np.uint8
