# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bag at a glance: some pictures of every camera, and when which topic sent."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.bags.inspection import BagInspection, TopicInspection

Picture = NDArray[np.uint8]
WIDTH = 1440
COLUMNS = 4
MARGIN = 12
LINE = 26
NAME_WIDTH = 420
BINS = 400
"""Steps of time in a topic's row."""
INK, SOFT, GOOD, BAD = (30, 30, 30), (225, 225, 225), (60, 120, 190), (200, 60, 50)


def contact_sheet(bag: BagInspection) -> Picture:
    """Draw a bag: (H, 1440, 3) uint8 RGB."""
    parts = [text_line(f"{bag.path.name}   {bag.seconds:.1f} s, {bag.bytes / 1e6:.1f} MB", scale=0.8)]
    if bag.damage:
        parts.append(text_line(f"damaged: {bag.damage}", colour=BAD))
    for topic in bag.topics:
        if topic.samples:
            parts.append(text_line(f"{topic.name}   {topic.detail}, {topic.rate:.3g} Hz"))
            parts.append(tile([(f"{(time - bag.start_ns) / 1e9:.1f} s", image) for time, image in topic.samples]))
    parts.append(text_line("when which topic sent (red: a gap)"))
    parts += [_timeline(topic, bag) for topic in bag.topics]
    parts.append(_axis(bag.seconds))
    return np.vstack(parts)


def text_line(text: str, scale: float = 0.55, colour: tuple[int, int, int] = INK) -> Picture:
    """A line of writing: (H, 1440, 3) uint8 RGB."""
    strip = np.full((round(LINE * max(scale / 0.55, 1)) + 8, WIDTH, 3), 255, np.uint8)
    _write(strip, text, (MARGIN, strip.shape[0] - 10), scale, colour)
    return strip


def _write(picture: Picture, text: str, at: tuple[int, int], scale: float, colour: tuple[int, int, int] = INK) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)


def tile(pictures: Sequence[tuple[str, Picture]]) -> Picture:
    """Captioned pictures (H, W, 3) in rows of four: (H, 1440, 3) uint8 RGB."""
    width = (WIDTH - MARGIN) // COLUMNS - MARGIN
    tiles = [_tile(picture, caption, width) for caption, picture in pictures]
    height = max(tile.shape[0] for tile in tiles)
    rows = -(-len(tiles) // COLUMNS)
    canvas = np.full((rows * (height + MARGIN), WIDTH, 3), 255, np.uint8)
    for number, one in enumerate(tiles):
        top, left = number // COLUMNS * (height + MARGIN), MARGIN + number % COLUMNS * (width + MARGIN)
        canvas[top : top + one.shape[0], left : left + width] = one
    return canvas


def _tile(picture: Picture, caption: str, width: int) -> Picture:
    height = max(round(width * picture.shape[0] / picture.shape[1]), 1)
    shrink = width < picture.shape[1]
    tile = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrink else 1), np.uint8)
    strip = np.full((18, width, 3), 255, np.uint8)
    _write(strip, caption, (0, 13), 0.42)
    return np.vstack([tile, strip])


def _timeline(topic: TopicInspection, bag: BagInspection) -> Picture:
    """One row: name, and a bar that is darker the more messages there are, red in gaps."""
    row = np.full((LINE, WIDTH, 3), 255, np.uint8)
    _write(row, _shortened(topic.name), (MARGIN, LINE - 9), 0.45)
    duration = max(bag.end_ns - bag.start_ns, 1)
    places = ((topic.times_ns - bag.start_ns) / duration * (BINS - 1)).clip(0, BINS - 1).astype(int)
    counts = np.bincount(places, minlength=BINS)
    bar = np.full((1, BINS, 3), SOFT, np.uint8)
    bar[0, _spread(counts, topic, duration)] = GOOD
    for at, length in topic.gaps:
        first, last = ((at - bag.start_ns + np.array([0, length * 1e9])) / duration * (BINS - 1)).astype(int)
        bar[0, first + 1 : max(last, first + 2)] = BAD
    left, right = NAME_WIDTH, WIDTH - 170
    row[5 : LINE - 5, left:right] = cv2.resize(bar, (right - left, LINE - 10), interpolation=cv2.INTER_NEAREST)
    rate = f", {topic.rate:.3g} Hz" if topic.rate else ""
    _write(row, f"{topic.count} x{rate}", (right + 8, LINE - 9), 0.45)
    return row


def _spread(counts: NDArray[np.intp], topic: TopicInspection, duration_ns: int) -> NDArray[np.bool_]:
    """Steps with messages, widened to the usual interval where that is longer than a step."""
    reach = BINS * (1e9 / topic.rate) / duration_ns if topic.rate else 0.0
    filled = (counts > 0).astype(np.uint8)[None]
    size = 2 * min(int(np.ceil(reach)), BINS // 4) + 1 if len(topic.times_ns) > 1 and reach > 0.5 else 1
    return np.asarray(cv2.morphologyEx(filled, cv2.MORPH_CLOSE, np.ones((1, size), np.uint8))[0] > 0)


def _shortened(name: str, longest: int = 46) -> str:
    return name if len(name) <= longest else f"...{name[-longest + 3 :]}"


def _axis(seconds: float, marks: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0)) -> Picture:
    row = np.full((LINE + 6, WIDTH, 3), 255, np.uint8)
    left, right = NAME_WIDTH, WIDTH - 170
    for share in marks:
        x = round(left + share * (right - left))
        cv2.line(row, (x, 0), (x, 5), INK, 1)
        _write(row, f"{share * seconds:.4g} s", (x - 14, 20), 0.42)
    return row
