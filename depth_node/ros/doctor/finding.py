# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One thing that the doctor has looked at."""

from __future__ import annotations

from typing import NamedTuple

OK, NOTE, WARN, BAD = "ok", "note", "warn", "bad"
"""It is well; worth knowing; costs something; does not work."""


class Finding(NamedTuple):
    """What was found.

    Attributes:
        level: 'ok', 'note', 'warn' or 'bad'.
        about: what was looked at, in a word or two.
        text: how it is.
        remedy: what to do; empty where nothing is to be done.
    """

    level: str
    about: str
    text: str
    remedy: str = ""
