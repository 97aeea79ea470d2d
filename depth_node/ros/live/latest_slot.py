# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Hand-over from callbacks to a worker thread that keeps only the newest item of each sender."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Sender = TypeVar("Sender", bound=Hashable)
Item = TypeVar("Item")


class LatestSlots(Generic[Sender, Item]):
    """A queue of senders with one item each; writers never wait, and a slow reader skips to the newest items.

    A newer item takes the place of its sender's older one and keeps its turn: who sends faster is not served sooner,
    and nobody waits for more than one item of each other sender.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._items: dict[Sender, Item] = {}  # in the order of turns: a new value leaves a key where it is
        self._closed = False

    def put(self, sender: Sender, item: Item) -> bool:
        """Leave an item for the reader; returns whether it took the place of one that was never read."""
        with self._condition:
            replaced = sender in self._items
            if not self._closed:
                self._items[sender] = item
            self._condition.notify()
            return replaced

    def take(self, belongs: Callable[[Item, Item], bool] = lambda *_: False) -> list[tuple[Sender, Item]]:
        """Wait for an item and take it out, with those of other senders that belong to it.

        Args:
            belongs: tells whether another item is to be taken together with the first.

        Returns:
            The item of the sender who has waited longest, and others; nothing once all is closed.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._items or self._closed)
            if self._closed:
                return []
            sender = next(iter(self._items))
            first = self._items.pop(sender)
            others = [(other, item) for other, item in self._items.items() if belongs(first, item)]
            for other, _ in others:
                del self._items[other]
            return [(sender, first), *others]

    def close(self) -> None:
        """Wake the reader for good and let go of what is left."""
        with self._condition:
            self._closed = True
            self._items.clear()
            self._condition.notify_all()


class LatestSlot(Generic[Item]):
    """The same with one sender: a queue of length one."""

    def __init__(self) -> None:
        self._slots: LatestSlots[None, Item] = LatestSlots()

    def put(self, item: Item) -> bool:
        """Leave an item for the reader; returns whether it took the place of one that was never read."""
        return self._slots.put(None, item)

    def take(self) -> Item | None:
        """Wait for an item and take it out; None once the slot is closed."""
        taken = self._slots.take()
        return taken[0][1] if taken else None

    def close(self) -> None:
        """Wake the reader for good and let go of what is left."""
        self._slots.close()
