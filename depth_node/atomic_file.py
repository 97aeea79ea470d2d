# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Writing one file all or nothing: under another name in the same folder, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from depth_node.errors import OutputError

PARTIAL = ".partial"


def check_replaceable(path: Path) -> None:
    """Find out before long work whether a file can be written at its end; folders are made. Raises OutputError."""
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder, name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.stem}."):
            pass
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path to write to; it takes the place of `path` when the block ends well and vanishes when not.

    Folders are made. The temporary name keeps the suffix, which many writers go by.

    Raises:
        OutputError: something cannot be written.
    """
    try:
        with swapping(path) as temporary:
            yield temporary
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


@contextmanager
def swapping(path: Path) -> Iterator[Path]:
    """As `replacing`, for callers that have a word of their own for what goes wrong; raises OSError."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{PARTIAL}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    finally:
        with suppress(OSError):  # it is gone when all went well
            temporary.unlink()


def clear_partial(folder: Path) -> None:
    """Remove what writers that were killed left in a folder; nobody may be writing there. Raises OSError."""
    for path in folder.glob(f".*{PARTIAL}*"):
        path.unlink(missing_ok=True)
