# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import threading

from depth_node.ros.live.latest_slot import LatestSlot


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
    reader = threading.Thread(target=lambda: taken.extend([slot.take(), slot.take()]))
    reader.start()
    slot.put("frame")
    while not taken and reader.is_alive() and slot._item is not None:
        pass
    slot.close()
    reader.join(10)
    assert not reader.is_alive()
    assert taken[-1] is None


def test_nothing_comes_out_of_a_closed_slot():
    slot = LatestSlot()
    slot.put(1)
    slot.close()
    assert slot.take() is None
