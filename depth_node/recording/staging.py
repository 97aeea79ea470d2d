# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Writing a folder all or nothing: into a hidden folder inside it, moved into place at the end.

What an interrupted process finished stays in the hidden folder, and the same recording goes on from there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from depth_node.atomic_file import clear_partial, swapping
from depth_node.errors import DepthNodeError, SequenceError

STAGING = ".recording"
WORK, IDENTITY, READY = "work", "identity.json", "ready"
"""Names inside the hidden folder that never move: unfinished parts, what is being recorded, that all is finished."""


class RecordingStoppedError(DepthNodeError):
    """Somebody asked the recorder to stop; raised from its progress callback. What is finished is kept."""


@contextmanager
def staging_folder(
    output: Path, last: str, identity: str = "", worth_keeping: Callable[[Path], bool] = lambda _: False
) -> Iterator[Path]:
    """A folder to write into; its content moves to `output` when the block ends well.

    It lies inside `output`, so that moving is a rename even where `output` is a mounted volume. When the block ends
    with an error, everything vanishes; but after an interruption or a write error, work that is worth keeping stays,
    and is found again by the next process that gives the same identity.

    Args:
        output: the folder to fill, made if needed.
        last: name of the file that moves last; where it is, everything is.
        identity: tells whether work found here is of the same recording.
        worth_keeping: whether anything was finished yet.

    Raises:
        SequenceError: something cannot be written, or another process writes to the same output.
    """
    made = [folder for folder in (output, *output.parents) if not folder.exists()]
    staging, lock, keep = output / STAGING, -1, False
    try:
        staging.mkdir(parents=True, exist_ok=True)
        lock = lock_folder(staging)
        _clear_others(staging, identity)
        try:
            yield staging
            (staging / READY).touch()
            _publish(staging, output, last)
        except (OSError, KeyboardInterrupt, RecordingStoppedError):
            keep = worth_keeping(staging)
            raise
    except OSError as error:
        where = error.filename or output
        again = "; run the same command again to go on" if keep else ""
        reason = f"cannot write {where}: {error.strerror or error}"
        raise SequenceError(f"{reason}; make room or choose another --output{again}") from None
    finally:
        if lock >= 0:
            if not keep:
                shutil.rmtree(staging, ignore_errors=True)
            os.close(lock)
        for folder in made:  # innermost first; stops mattering at the first one that holds something
            with suppress(OSError):
                folder.rmdir()


def is_ready(output: Path, identity: str) -> bool:
    """Whether a recording was interrupted while it moved into place: everything is there, part of it still hidden."""
    staging = output / STAGING
    return (staging / READY).exists() and _identity(staging) == identity


def clear_staging(output: Path) -> None:
    """Remove what a process left that was killed after its recording was in place."""
    staging = output / STAGING
    with suppress(OSError, SequenceError):
        lock = lock_folder(staging)
        shutil.rmtree(staging, ignore_errors=True)
        os.close(lock)


def lock_folder(folder: Path) -> int:
    """Lock a folder for this process; closing the descriptor returned, or ending in any way, unlocks it.

    Raises:
        SequenceError: another process has it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SequenceError(f"another recorder is writing to {folder.parent}: wait for it to end") from None
    return descriptor


def _publish(staging: Path, output: Path, last: str) -> None:
    clear_partial(staging)
    content = [path for path in staging.iterdir() if path.name not in (WORK, IDENTITY, READY)]
    for path in sorted(content, key=lambda path: (path.name == last, path.name)):
        os.replace(path, output / path.name)


def _clear_others(staging: Path, identity: str) -> None:
    if identity and _identity(staging) == identity:
        return
    for path in staging.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if identity:
        with swapping(staging / IDENTITY) as temporary:
            temporary.write_text(identity, encoding="utf-8")


def _identity(staging: Path) -> str:
    try:
        return (staging / IDENTITY).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
