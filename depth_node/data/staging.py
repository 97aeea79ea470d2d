"""Writing a folder all or nothing: into a hidden folder inside it, moved into place at the end."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from depth_node.errors import SequenceError

STAGING = ".recording"


@contextmanager
def staging_folder(output: Path, last: str) -> Iterator[Path]:
    """A folder to write into; its content moves to `output` when the block ends well and vanishes when not.

    It lies inside `output`, so that moving is a rename even where `output` is a mounted volume. What a killed
    process left there is cleared.

    Args:
        output: the folder to fill, made if needed.
        last: name of the file that moves last; where it is, everything is.

    Raises:
        SequenceError: something cannot be written, or another process writes to the same output.
    """
    made = [folder for folder in (output, *output.parents) if not folder.exists()]
    staging, lock = output / STAGING, -1
    try:
        staging.mkdir(parents=True, exist_ok=True)
        lock = _lock(staging)
        _clear(staging)
        yield staging
        for path in sorted(staging.iterdir(), key=lambda path: (path.name == last, path.name)):
            os.replace(path, output / path.name)
    except OSError as error:
        where = error.filename or output
        raise SequenceError(f"cannot write {where}: {error.strerror}; make room or choose another --output") from None
    finally:
        if lock >= 0:
            shutil.rmtree(staging, ignore_errors=True)
            os.close(lock)
        for folder in made:  # innermost first; stops mattering at the first one that holds something
            with suppress(OSError):
                folder.rmdir()


def _lock(folder: Path) -> int:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SequenceError(f"another recorder is writing to {folder.parent}: wait for it to end") from None
    return descriptor


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
