# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a prediction for people: the image, depth and classes in colours, and the points seen from above."""

from __future__ import annotations

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from depth_node.config.classes import ClassMap
from depth_node.drawing.colorize import color_labels, colorize_depth, depth_limits

BACKGROUND = 28
NICE_DEPTHS = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100)
"""Depths that may be marked beside the colours, metres."""

SMALLEST_STEP = 0.05
"""Marks closer than this share of the bar would overlap."""

FIGURE_WIDTH, PICTURE_WIDTH, CAPTION_HEIGHT, LEGEND_HEIGHT = 15.0, 8.7, 0.5, 0.6
"""Inches; a picture is as high as its shape asks, up to its own width."""
FIGURE_DPI = 100

LEGEND_COLUMNS = 6

LEAST_SHARE = 0.002
"""Classes with a smaller share of the pixels are not worth a place in the legend."""


def birds_eye(
    depth: NDArray[np.float32],
    image: NDArray[np.uint8],
    K: NDArray[np.float64],
    reach: float = 40.0,
    side: float = 15.0,
    ceiling: float = 2.5,
    cell: float = 0.1,
) -> NDArray[np.uint8]:
    """The points of a depth image from above in the image's colours, the camera at the middle of the lower edge.

    Where several points share a cell the highest is seen, as from the air.

    Args:
        depth: (h, w) metres; only finite values are drawn.
        image: (h, w, 3) uint8 RGB.
        K: (3, 3) intrinsics of both, pixels.
        reach: how far ahead to show, metres.
        side: how far to the left and right to show, metres.
        ceiling: points higher than this above the camera (treetops) would hide the road and are left out, metres.
        cell: size of a pixel, metres.

    Returns:
        (reach / cell, 2 side / cell, 3) uint8 RGB.
    """
    depth = np.where(np.isfinite(depth), depth, 0.0)
    rows, columns = np.indices(depth.shape, np.float32)
    x = (columns - K[0, 2]) / K[0, 0] * depth
    y = (rows - K[1, 2]) / K[1, 1] * depth
    seen = (depth > 0) & (depth < reach) & (np.abs(x) < side) & (y > -ceiling)
    size = (round(reach / cell), round(2 * side / cell))
    lowest_first = np.argsort(-y[seen], kind="stable")
    row = size[0] - 1 - (depth[seen][lowest_first] / cell).astype(int)
    column = ((x[seen][lowest_first] + side) / cell).astype(int)
    inside = (row >= 0) & (column < size[1])
    drawn = np.zeros((*size, 3), np.uint8)
    drawn[row[inside], column[inside]] = image[seen][lowest_first][inside]
    occupied = np.zeros(size, np.uint8)
    occupied[row[inside], column[inside]] = 1
    return _fill_gaps(drawn, occupied)


def overview(
    image: NDArray[np.uint8],
    depth: NDArray[np.float32],
    K: NDArray[np.float64],
    title: str = "",
    reach: float = 40.0,
    labels: NDArray[np.uint8] | None = None,
    classes: ClassMap | None = None,
) -> NDArray[np.uint8]:
    """One picture that explains a prediction: image, colour depth with a scale in metres, classes, cloud from above.

    Args:
        image: (h, w, 3) uint8 RGB.
        depth: (h, w) metres; NaN unknown, infinite out of range.
        K: (3, 3) intrinsics of both, pixels.
        title: a line to put on top.
        reach: how far ahead the view from above shows, metres.
        labels: (h, w) uint8 class numbers, shown in a row of their own.
        classes: what `labels` stand for.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    near, far = depth_limits(depth)
    panels = {"image": image, "depth along the optical axis": colorize_depth(depth, near, far)}
    if labels is not None and classes is not None:
        panels["semantic classes"] = color_labels(labels, classes)
    row = PICTURE_WIDTH * min(depth.shape[0] / depth.shape[1], 1.0) + CAPTION_HEIGHT
    height = row * len(panels) + (LEGEND_HEIGHT if len(panels) > 2 else 0.0)
    figure = Figure(figsize=(FIGURE_WIDTH, height), dpi=FIGURE_DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title)
    axes = figure.subplot_mosaic([[caption, "above"] for caption in panels], width_ratios=(2.1, 1.0))
    for caption, picture in panels.items():
        axes[caption].imshow(picture)
        axes[caption].set_title(caption)
        axes[caption].set_axis_off()
    if labels is not None and classes is not None:
        _add_legend(figure, labels, classes)
    _add_scale(figure, [axes[caption] for caption in panels], near, far, 1 - CAPTION_HEIGHT / row)
    _show_from_above(axes["above"], birds_eye(depth, image, K, reach), reach)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3].copy()


def _fill_gaps(drawn: NDArray[np.uint8], occupied: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Let points cover the empty cells beside them, and paint what stays empty; far points are sparse."""
    around = np.ones((3, 3), np.uint8)
    filled = np.where(occupied[..., None], drawn, cv2.dilate(drawn, around))
    return np.where(cv2.dilate(occupied, around)[..., None], filled, BACKGROUND).astype(np.uint8)


def _add_scale(figure: Figure, column: list[Axes], near: float, far: float, share: float) -> None:
    """A bar beside the second of a column of axes, over a share of its row, that says which colour is how far."""
    low, high = 1.0 / far, 1.0 / near
    # It takes room from the whole column, so that the pictures stay one below the other.
    scale = ScalarMappable(Normalize(low, high), "magma")
    height, middle = share / len(column), 0.05 if len(column) == 2 else 0.5
    bar = figure.colorbar(scale, ax=column, shrink=height, anchor=(0.0, middle), pad=0.01)
    marks = [mark for mark in NICE_DEPTHS if near <= mark <= far]
    apart = (high - low) * SMALLEST_STEP
    marks = [m for i, m in enumerate(marks) if i == 0 or 1.0 / marks[i - 1] - 1.0 / m >= apart]
    bar.set_ticks([1.0 / mark for mark in marks], labels=[f"{mark} m" for mark in marks])


def _add_legend(figure: Figure, labels: NDArray[np.uint8], classes: ClassMap) -> None:
    """Names and colours of the classes that are there, largest first."""
    shares = np.bincount(labels.ravel(), minlength=len(classes))[: len(classes)] / labels.size
    seen = [number for number in np.argsort(-shares, kind="stable") if shares[number] >= LEAST_SHARE]
    handles = [Patch(color=f"#{bytes(classes.colors[n]).hex()}", label=classes.names[n]) for n in seen]
    figure.legend(handles=handles, loc="outside lower left", ncols=LEGEND_COLUMNS, frameon=False)


def _show_from_above(axes: Axes, picture: NDArray[np.uint8], reach: float) -> None:
    side = reach * picture.shape[1] / picture.shape[0] / 2.0
    axes.imshow(picture, extent=(-side, side, 0.0, reach), interpolation="nearest")
    axes.set_title("point cloud from above")
    axes.set_xlabel("right [m]")
    axes.set_ylabel("ahead [m]")
    axes.grid(color="white", alpha=0.15)
