# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The colours of semantic classes with their names."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.config.classes import ClassMap

COLUMNS, CELL_WIDTH, CELL_HEIGHT = 5, 135, 26
BACKGROUND, INK = (13, 16, 17), (230, 230, 230)


def draw_legend(classes: ClassMap) -> NDArray[np.uint8]:
    """A table of the classes: (h, w, 3) uint8 RGB, light letters on a dark ground."""
    rows = -(-len(classes) // COLUMNS)
    picture = np.full((rows * CELL_HEIGHT, COLUMNS * CELL_WIDTH, 3), BACKGROUND, np.uint8)
    for number, (name, color) in enumerate(zip(classes.names, classes.colors, strict=True)):
        row, column = divmod(number, COLUMNS)
        x, y = column * CELL_WIDTH, row * CELL_HEIGHT
        cv2.rectangle(picture, (x + 5, y + 4), (x + 27, y + CELL_HEIGHT - 5), color, cv2.FILLED)
        cv2.rectangle(picture, (x + 5, y + 4), (x + 27, y + CELL_HEIGHT - 5), INK, 1)
        cv2.putText(picture, name, (x + 34, y + CELL_HEIGHT - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.48, INK, 1, cv2.LINE_AA)
    return picture
