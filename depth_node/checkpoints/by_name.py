# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which file a checkpoint's name stands for: every command and the live node find checkpoints here."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from depth_node.checkpoints.published.catalogue import PROJECTS, PUBLISHED, Published
from depth_node.checkpoints.shipped import SHIPPED, shipped_file
from depth_node.errors import CheckpointError

if TYPE_CHECKING:
    from depth_node.checkpoints.published.fetching import Say

WORD = re.compile(r"[\w+-]+|\w[\w+-]+:[\w+.-]+")
"""What may be meant as a name; a single letter before a colon is a drive of Windows."""
FILE_ENDINGS = (".safetensors", ".onnx", ".ckpt", ".pth", ".zip", ".tar")


def is_name(name: str | Path) -> bool:
    """Whether this is a checkpoint's name, shipped or published; a file of that very name goes first."""
    return str(name) in (*SHIPPED, *PUBLISHED) and not Path(name).exists()


def is_published(name: str | Path) -> bool:
    """Whether published weights are meant, be it misspelt: something behind a colon that is no file."""
    project, colon, _ = str(name).partition(":")
    is_word = colon and WORD.fullmatch(str(name)) is not None
    meant = is_word and (project in PROJECTS or not str(name).endswith(FILE_ENDINGS))
    return bool(meant) and not Path(name).exists()


def find_published(name: str | Path) -> Published:
    """Published weights by name; raises CheckpointError with those there are, the most similar first."""
    found = PUBLISHED.get(str(name))
    if found is None:
        raise _unknown(str(name))
    return found


def located(name: str | Path, say: Say | None = None) -> Path:
    """The file that a checkpoint's name or path stands for; a file of that very name goes first.

    Args:
        name: path of a file, name of a shipped checkpoint, or of published weights, which are downloaded at first use.
        say: takes lines about a download; without it they go to standard error.

    Returns:
        The file. A path is handed back as it is, whether or not something is there.

    Raises:
        CheckpointError: no such name, a shipped checkpoint is not installed, or published ones cannot be had.
    """
    path = Path(name).expanduser()
    text = str(name)
    if path.exists():
        return path
    if text in SHIPPED:
        return shipped_file(text)
    if text in PUBLISHED or is_published(text):
        from depth_node.checkpoints.published.fetching import fetch

        return fetch(find_published(text), say=say)
    if WORD.fullmatch(text) and difflib.get_close_matches(text, SHIPPED):
        raise _unknown(text)
    return path


def _unknown(name: str) -> CheckpointError:
    known = [*SHIPPED, *PUBLISHED]
    plain = {each.lower(): each for each in known}
    near = [plain[each] for each in difflib.get_close_matches(name.lower(), plain, n=3)]
    ordered = [*near, *(each for each in known if each not in near)]
    hint = f"did you mean {near[0]}? " if near else ""
    return CheckpointError(f"no file and no checkpoint is called {name}: {hint}known are {', '.join(ordered)}")
