# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Is the new network better, and nowhere worse?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from depth_node.config.improve import ImproveConfig
from depth_node.improvement.comparison import ABS_REL, CONSISTENCY, Measured

NEW, OLDER = "new", "older"


@dataclass(frozen=True)
class Verdict:
    """The outcome of a night.

    Attributes:
        promoted: whether the new network takes the old one's place.
        sentence: why, in one line.
        measured: what was compared; empty where nothing was trained.
    """

    promoted: bool
    sentence: str
    measured: tuple[Measured, ...] = ()


def decide(measured: Sequence[Measured], config: ImproveConfig) -> Verdict:
    """Weigh what was measured.

    The new network has to be better by an error on the new recording, that to measured depth where there is some, and
    worse by none anywhere. Consistency alone makes nothing better: nothing is as even as depth that is all alike.
    """
    limits = {CONSISTENCY: config.consistency_tolerance}
    worse = [each for each in measured if each.change > limits.get(each.what, config.tolerance)]
    if worse:
        worst = max(worse, key=lambda each: each.change)
        return Verdict(
            False, f"refused: {worst.what} on the {worst.where} recording rises by {worst.change:.1%}", tuple(measured)
        )
    here = [each for each in measured if each.where == NEW and each.what != CONSISTENCY]
    truth = [each for each in here if each.what == ABS_REL]
    best = min(truth or here, key=lambda each: each.change)
    if best.change > -config.gain:
        return Verdict(
            False,
            f"refused: nothing gets better ({best.what} on the new recording {best.change:+.1%})",
            tuple(measured),
        )
    return Verdict(
        True,
        f"promoted: {best.what} on the new recording falls by {-best.change:.1%}, nothing gets worse",
        tuple(measured),
    )
