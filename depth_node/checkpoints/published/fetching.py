# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Published weights as a checkpoint of this machine: from the cache, else downloaded, checked, imported and kept.

The cache has a folder for each network. In it lie the checkpoint, named after the checksum of the authors' file, and,
where the authors publish no checksum, that of the first download.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from depth_node.atomic_file import clear_partial, swapping
from depth_node.cache_folder import VARIABLE as CACHE_VARIABLE
from depth_node.cache_folder import cache_folder
from depth_node.checkpoints.container import read_container
from depth_node.checkpoints.published.catalogue import Published
from depth_node.checkpoints.published.download import download
from depth_node.checkpoints.published.download_progress import watching
from depth_node.config.importing import ImportConfig
from depth_node.errors import CheckpointError

MIRROR_VARIABLE = "DEPTH_NODE_MIRROR"
DIGITS = 12
"""Of a checksum, in the name of a kept checkpoint."""
WORK = ".download-"

Say = Callable[[str], object]


def fetch(published: Published, mirror: str = "", say: Say | None = None) -> Path:
    """The checkpoint that was made of published weights; a second time it is there at once, without the network.

    Args:
        published: which.
        mirror: base URL or folder that has the authors' file under its own name; empty takes $DEPTH_NODE_MIRROR, and
            without that the authors' own address.
        say: takes lines for the user; without it they go to standard error, where a terminal shows a bar as well.

    Returns:
        A *.safetensors file in the cache, complete.

    Raises:
        CheckpointError: the file cannot be had, is not the one that was published or remembered, or cannot be kept.
            Nothing is left of it then.
    """
    folder = cache_folder() / published.name.replace(":", "/")
    kept = _kept(published, folder)
    if kept is not None:
        return kept
    tell = say or _to_standard_error
    try:
        with _alone(folder, published, tell):
            return _kept(published, folder) or _made(published, folder, mirror, tell, bar=say is None)
    except OSError as error:
        raise CheckpointError(
            f"cannot keep {published.name} in {folder} ({error.strerror or error}): set {CACHE_VARIABLE} to a folder "
            "with room that you may write to"
        ) from error


def _kept(published: Published, folder: Path) -> Path | None:
    """The checkpoint in the cache, if it is there and whole."""
    digest = published.md5 or _remembered(published, folder)
    path = _place(published, folder, digest)
    if not digest or not path.is_file():
        return None
    try:
        read_container(path, with_tensors=False)
    except CheckpointError:  # the disk's doing, for our own files appear whole: it is made again
        return None
    return path


def _made(published: Published, folder: Path, mirror: str, say: Say, bar: bool) -> Path:
    """Get the authors' file, check it and make the checkpoint of it; the download is removed in any case."""
    clear_partial(folder)
    for work in folder.glob(WORK + "*"):  # of processes that were killed
        shutil.rmtree(work)
    mirror = mirror or os.environ.get(MIRROR_VARIABLE, "")
    with _official(published, folder, mirror, say, bar) as (path, origin):
        digests = _digests(path)
        _check(published, folder, digests, origin)
        kept = _place(published, folder, published.md5 or digests["sha256"])
        _import(published, path, origin, digests["sha256"], kept, say)
    if not published.md5 and not _remembered(published, folder):
        _remember(published, folder, digests["sha256"], say)
    return kept


@contextmanager
def _official(published: Published, folder: Path, mirror: str, say: Say, bar: bool) -> Iterator[tuple[Path, str]]:
    """The authors' file and where it came from; in a mirror's folder it is read where it lies."""
    if mirror and "://" not in mirror:
        path = Path(mirror).expanduser() / published.file
        if not path.is_file():
            raise CheckpointError(f"cannot import {published.name}: the mirror {mirror} has no file {published.file}")
        if not os.access(path, os.R_OK):
            raise CheckpointError(f"cannot import {published.name}: {path} may not be read")
        say(f"{published.name}: taken from {path}")
        yield path, str(path)
        return
    url = f"{mirror.rstrip('/')}/{published.url.rpartition('/')[2]}" if mirror else published.url
    if not url.startswith(("https://", "http://")):
        raise CheckpointError(f"the mirror {mirror} is neither a folder nor an address with https:// or http://")
    with TemporaryDirectory(prefix=WORK, dir=folder) as work:
        path = Path(work) / published.file
        say(f"{published.name}: downloading {url}, to be kept in {folder}")
        try:
            with watching(published.name, say, bar) as watch:
                download(url, path, watch)
        except CheckpointError as error:
            raise CheckpointError(f"cannot download {published.name}: {error}; {_remedy(published)}") from error
        yield path, url


def _remedy(published: Published) -> str:
    return (
        f"try again, or set {MIRROR_VARIABLE} to an address or folder that has {published.file}, or import files of "
        "your own (`depth import PATH --output FILE`)"
    )


def _digests(path: Path) -> dict[str, str]:
    found = {"md5": hashlib.md5(usedforsecurity=False), "sha256": hashlib.sha256()}
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            for digest in found.values():
                digest.update(chunk)
    return {name: digest.hexdigest() for name, digest in found.items()}


def _check(published: Published, folder: Path, digests: dict[str, str], origin: str) -> None:
    """Compare with the published checksum, else with that of the first download. Raises CheckpointError."""
    if published.md5:
        if digests["md5"] != published.md5:
            raise CheckpointError(
                f"{origin} is not {published.name}: its md5 is {digests['md5']}, the authors' {published.md5}; it was "
                f"changed or damaged on its way: {_remedy(published)}"
            )
        return
    first = _remembered(published, folder)
    if first and digests["sha256"] != first:
        raise CheckpointError(
            f"{origin} is another file than when {published.name} was first downloaded: its sha256 is "
            f"{digests['sha256']}, it was {first}; remove {_memory(published, folder)} to trust the new one"
        )


def _import(published: Published, path: Path, origin: str, sha256: str, kept: Path, say: Say) -> None:
    # Reading a checkpoint begins with its name, so depth.py imports this module.
    from depth_node.checkpoints.depth import save_checkpoint
    from depth_node.checkpoints.importing.importer import import_official

    config = ImportConfig(height=published.height, width=published.width, scale=published.scale)
    try:
        info, found = import_official(path, config)
    except CheckpointError as error:
        raise CheckpointError(f"{origin} cannot be used: {str(error).replace(str(path), published.file)}") from error
    # A mirror's address and folders are the user's own matter: checkpoints are handed on.
    source = published.url if published.md5 or origin == published.url else "a mirror"
    about = {**info.training, "name": published.name, "source": source, "sha256": sha256}
    licence = published.project.licence
    save_checkpoint(kept, replace(info, licence=licence, training=about), found.depth, found.pose)
    for note in found.notes:
        say(f"{published.name}: note: {note}")
    say(f"{published.name}: imported; licence: {licence}")


def _place(published: Published, folder: Path, digest: str) -> Path:
    return folder / f"{published.model}-{digest[:DIGITS]}.safetensors"


def _memory(published: Published, folder: Path) -> Path:
    return folder / f"{published.file}.sha256"


def _remembered(published: Published, folder: Path) -> str:
    """The checksum of the first download, empty where there was none."""
    try:
        text = _memory(published, folder).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    found = re.match(r"[0-9a-f]{64}\b", text)
    return found[0] if found else ""


def _remember(published: Published, folder: Path, sha256: str, say: Say) -> None:
    with swapping(_memory(published, folder)) as temporary:
        temporary.write_text(f"{sha256}  {published.file}\n", encoding="ascii")
    say(f"{published.name}: no checksum is published, its sha256 {sha256[:DIGITS]}... is remembered from now on")


@contextmanager
def _alone(folder: Path, published: Published, say: Say) -> Iterator[None]:
    """Only one process at a time makes a network's checkpoint; the others wait for it. Raises OSError."""
    from filelock import FileLock, Timeout  # a package of torch's

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"{published.name}: another process fetches it, waiting")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _to_standard_error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
