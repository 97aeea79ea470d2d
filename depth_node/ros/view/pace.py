# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How many frames are shown: all messages of one stamp, or none of them."""

from __future__ import annotations

from collections.abc import Callable

KEPT = 20
"""Stamps that are remembered: messages of one frame come one after the other, those of two may mix."""


class Pace:
    """Lets through at most so many frames a second; a frame is what has one stamp."""

    def __init__(self, max_rate: float, next_number: Callable[[], int]) -> None:
        """Start with the next frame.

        Args:
            max_rate: frames a second at most.
            next_number: gives each frame that is shown its number.
        """
        self._period, self._next_number = 1.0 / max_rate, next_number
        self._last = float("-inf")
        self._numbers: dict[int, int | None] = {}

    def number(self, stamp: int, now: float) -> int | None:
        """The number of the frame that a message belongs to, or None where it is left out.

        Args:
            stamp: the message's, ns.
            now: seconds, of a clock that never goes back.
        """
        if stamp not in self._numbers:
            is_due = now - self._last >= self._period
            self._last = now if is_due else self._last
            self._numbers[stamp] = self._next_number() if is_due else None
            if len(self._numbers) > KEPT:
                del self._numbers[next(iter(self._numbers))]
        return self._numbers[stamp]
