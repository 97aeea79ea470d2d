# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Hand-over from a callback to a worker thread that keeps only the newest item."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class LatestSlot(Generic[Item]):
    """A queue of length one whose writer never waits: a slow reader skips to the newest item, so nothing piles up."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: Item | None = None
        self._closed = False

    def put(self, item: Item) -> bool:
        """Leave an item for the reader; returns whether it took the place of one that was never read."""
        with self._condition:
            replaced = self._item is not None
            self._item = item
            self._condition.notify()
            return replaced

    def take(self) -> Item | None:
        """Wait for an item and take it out; None once the slot is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._item is not None or self._closed)
            item, self._item = self._item, None
            return None if self._closed else item

    def close(self) -> None:
        """Wake the reader for good and let go of what is left."""
        with self._condition:
            self._closed, self._item = True, None
            self._condition.notify_all()
