# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What an interrupted recording had finished: pictures by their number in the bag, with the hash of their bytes.

One line per picture, written after its file is in place. A picture counts as done only if its file still has that
hash, so that a journal can never vouch for bytes that were lost.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import BinaryIO

NAME = "journal.jsonl"


class Journal:
    """The journal of one bag; use with `with`."""

    def __init__(self, folder: Path) -> None:
        """Read what is there; the folder exists."""
        self._path = folder / NAME
        self._done: dict[int, str] = {}
        self._file: BinaryIO | None = None
        if self._path.exists():
            for line in self._path.read_text(encoding="ascii", errors="replace").splitlines():
                try:
                    number, digest = json.loads(line)
                except (ValueError, TypeError):  # the last line, cut off
                    continue
                self._done[number] = digest

    def __enter__(self) -> Journal:
        """Open for writing, on a line of its own."""
        self._file = self._path.open("ab", buffering=0)  # a line is a call of the system
        self._file.write(b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __len__(self) -> int:
        """Pictures that were done before."""
        return len(self._done)

    def done(self, number: int, path: Path) -> str:
        """The hash of a picture that is done already; empty where it is not."""
        digest = self._done.get(number)
        if not digest or not path.is_file():
            return ""
        return digest if hashlib.sha256(path.read_bytes()).hexdigest() == digest else ""

    def add(self, number: int, digest: str) -> None:
        """Note a finished picture."""
        if number not in self._done:
            assert self._file is not None
            self._file.write(f'[{number}, "{digest}"]\n'.encode())
