# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""KITTI timestamp files: one `YYYY-MM-DD HH:MM:SS.nnnnnnnnn` per frame, to the nanosecond, here always UTC.

`datetime` stops at microseconds, so stamps are integers of nanoseconds and the last digits are handled apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from depth_node.errors import SequenceError

SECOND = 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,9}))?")


def format_timestamp(stamp_ns: int) -> str:
    """A stamp (ns since 1970 UTC) as KITTI writes it; exact for every stamp up to the year 9999."""
    seconds, nanoseconds = divmod(stamp_ns, SECOND)
    return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}.{nanoseconds:09d}"


def parse_timestamp(text: str) -> int:
    """The reverse of `format_timestamp`; raises SequenceError."""
    match = LINE.fullmatch(text.strip())
    try:
        if not match:
            raise ValueError
        moment = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        raise SequenceError(f"'{text.strip()}' is no timestamp like 2011-09-26 13:02:25.000000000") from None
    return (moment - EPOCH) // timedelta(seconds=1) * SECOND + int((match[2] or "0").ljust(9, "0"))


def read_timestamps(path: Path) -> tuple[int, ...]:
    """Stamps of a `timestamps.txt`, ns since 1970 UTC; blank lines are skipped. Raises SequenceError."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SequenceError(f"cannot read timestamps {path}: {getattr(error, 'strerror', None) or error}") from None
    return tuple(parse_timestamp(line) for line in lines if line.strip())


def write_timestamps(path: Path, stamps_ns: Iterable[int]) -> None:
    """Write a `timestamps.txt`; every line ends in a newline, as pykitti needs it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{format_timestamp(stamp)}\n" for stamp in stamps_ns), encoding="ascii")
