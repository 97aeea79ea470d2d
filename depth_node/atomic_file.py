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
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        with suppress(OSError):  # it is gone when all went well
            temporary.unlink()
