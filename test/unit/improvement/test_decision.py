# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is promoted: better today, worse nowhere, measured depth first."""

from __future__ import annotations

import re

import pytest

from depth_node.config.improve import ImproveConfig
from depth_node.improvement.comparison import Measured
from depth_node.improvement.decision import decide

CONFIG = ImproveConfig(gain=0.01, tolerance=0.02)


def measured(**changes):
    """Errors that change by so much: new_photometric=-0.1 is a tenth better on the new recording."""
    found = []
    for name, change in changes.items():
        where, _, what = name.partition("_")
        found.append(Measured(where, what, 0.2, 0.2 * (1 + change), 10))
    return found


@pytest.mark.parametrize(
    ("changes", "promoted", "words"),
    [
        ({"new_photometric": -0.05, "new_consistency": 0.01, "older_photometric": 0.0}, True, "photometric.*falls"),
        ({"new_photometric": -0.05, "new_consistency": 0.3}, True, "photometric.*falls"),
        ({"new_photometric": -0.05, "older_consistency": 0.6}, False, "consistency on the older recording rises"),
        ({"new_photometric": 0.0, "new_consistency": -0.5}, False, "nothing gets better"),
        ({"new_photometric": -0.005, "new_consistency": 0.0}, False, "nothing gets better"),
        ({"new_photometric": -0.3, "older_photometric": 0.05}, False, "on the older recording rises by 5.0%"),
        ({"new_photometric": -0.3, "new_abs_rel": 0.0}, False, "nothing gets better .abs_rel"),
        ({"new_photometric": -0.001, "new_abs_rel": -0.1}, True, "abs_rel on the new recording falls by 10.0%"),
        ({"new_photometric": -0.3, "new_abs_rel": -0.1, "older_abs_rel": 0.03}, False, "abs_rel on the older"),
    ],
)  # fmt: skip
def test_what_is_promoted(changes, promoted, words):
    verdict = decide(measured(**changes), CONFIG)
    assert verdict.promoted is promoted
    assert re.search(words, verdict.sentence)
