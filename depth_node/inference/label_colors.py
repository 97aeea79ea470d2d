"""Labels as colours for people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depth_node.config.classes import ClassMap


def color_labels(labels: NDArray[np.uint8], classes: ClassMap) -> NDArray[np.uint8]:
    """Colours of a label image.

    Args:
        labels: (H, W) class numbers.
        classes: whose colours to use; numbers that it lacks are black.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(classes)] = classes.colors
    return palette[labels]
