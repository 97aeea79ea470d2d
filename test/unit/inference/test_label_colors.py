"""Labels as colours."""

from __future__ import annotations

import numpy as np

from depth_node.config.classes import CITYSCAPES
from depth_node.inference.label_colors import color_labels


def test_each_class_has_its_colour_and_the_rest_is_black():
    colors = color_labels(np.array([[0, 13], [19, 255]], np.uint8), CITYSCAPES)
    assert colors.dtype == np.uint8
    assert colors.tolist() == [[[128, 64, 128], [0, 0, 142]], [[0, 0, 0], [0, 0, 0]]]
