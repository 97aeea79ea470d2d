# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How many of the sixteen bits of a picture a camera uses: taken for sixteen, ten or twelve bits are black."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BITS = (8, 10, 12, 14, 16)
"""Bits per value that sensors have; drivers put them at the low end of a word."""


class BitDepth:
    """The bits in use of one camera's pictures: as set, or as many as its brightest value has needed so far.

    So the brightness of a stream can change a few times at its start, when something brighter comes into view, and
    never again. Not thread-safe where it is to find out.

    Attributes:
        bits: the bits that the next picture is scaled by.
    """

    def __init__(self, bits: int = 0) -> None:
        """Take the number of bits; 0 finds out."""
        self.bits, self._finds_out = max(bits, BITS[0]), bits == 0

    def look(self, values: NDArray[np.uint16]) -> None:
        """See a picture's values, of any shape."""
        if self._finds_out and self.bits < BITS[-1] and values.size:
            largest = int(values.max())
            self.bits = max(self.bits, next(bits for bits in BITS if largest < 1 << bits))

    def to_bytes(self, values: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """The values, looked at, as bytes; what is brighter than a set number of bits allows is white."""
        self.look(values)
        scaled = np.right_shift(values, self.bits - 8)
        if self.bits < BITS[-1]:
            np.minimum(scaled, 255, out=scaled)
        return scaled.astype(np.uint8)


FULL = BitDepth(16)
"""All sixteen bits, as the encoding says."""
