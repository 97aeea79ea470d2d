# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import threading

from depth_node.ros.live.latest_slot import LatestSlot, LatestSlots


def test_the_newest_item_wins():
    slot = LatestSlot()
    assert [slot.put(item) for item in (1, 2, 3)] == [False, True, True]
    assert slot.take() == 3


def test_a_taken_item_counts_as_read():
    slot = LatestSlot()
    slot.put(1)
    slot.take()
    assert slot.put(2) is False


def test_take_waits_and_close_wakes_it():
    slot, taken = LatestSlot(), []
    reader = threading.Thread(target=lambda: [taken.append(slot.take()) for _ in range(2)], daemon=True)
    reader.start()
    slot.put("frame")
    while not taken and reader.is_alive():
        pass
    slot.close()
    reader.join(10)
    assert not reader.is_alive()
    assert taken == ["frame", None]


def test_nothing_comes_out_of_a_closed_slot():
    slot = LatestSlot()
    slot.put(1)
    slot.close()
    assert slot.take() is None


def test_who_sends_faster_is_not_served_sooner():
    slots = LatestSlots()
    slots.put("slow", 1)
    assert [slots.put("fast", number) for number in range(5)] == [False, True, True, True, True]
    assert slots.take() == [("slow", 1)]
    slots.put("slow", 2)
    slots.put("fast", 5)
    assert [slots.take(), slots.take()] == [[("fast", 5)], [("slow", 2)]]


def test_what_belongs_together_comes_together():
    slots = LatestSlots()
    for sender, item in (("front", 10), ("late", 17), ("rear", 11)):
        slots.put(sender, item)
    assert slots.take(lambda first, other: abs(first - other) < 2) == [("front", 10), ("rear", 11)]
    assert slots.take(lambda *_: True) == [("late", 17)]
    slots.close()
    assert slots.put("front", 1) is False
    assert slots.take() == []
