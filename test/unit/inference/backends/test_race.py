# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Turns."""

from __future__ import annotations

from depth_node.inference.backends.race import race


def test_all_take_turns_and_the_second_call_counts():
    calls = []
    seconds = race({name: lambda name=name: calls.append(name) for name in "ab"}, rounds=3)
    assert "".join(calls) == "aabb" * 3
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}
