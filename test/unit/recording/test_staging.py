# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A folder is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from depth_node.errors import SequenceError
from depth_node.recording.staging import STAGING, staging_folder


def write(output: Path, error: BaseException | type[BaseException] | None) -> None:
    """Write a file, then fail."""
    with staging_folder(output, "last.txt") as staging:
        (staging / "a").write_text("a")
        if error:
            raise error


def test_content_moves_into_place(tmp_path):
    output = tmp_path / "new" / "out"
    with staging_folder(output, "last.txt") as staging:
        (staging / "folder").mkdir()
        (staging / "folder" / "a").write_text("a")
        (staging / "last.txt").write_text("b")
        assert [path.name for path in output.iterdir()] == [STAGING]
    assert sorted(path.name for path in output.iterdir()) == ["folder", "last.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_stays_after_an_error(tmp_path, error):
    with pytest.raises(error):
        write(tmp_path / "new" / "out", error)
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_stays_but_empty(tmp_path):
    with pytest.raises(ZeroDivisionError):
        write(tmp_path, ZeroDivisionError())
    assert not list(tmp_path.iterdir())


def test_leftovers_of_a_killed_process_are_cleared(tmp_path):
    (tmp_path / STAGING / "drive").mkdir(parents=True)
    (tmp_path / STAGING / "file").touch()
    with staging_folder(tmp_path, "last.txt") as staging:
        assert not list(staging.iterdir())


def test_two_writers_do_not_meet(tmp_path):
    with staging_folder(tmp_path, "last.txt") as staging:
        (staging / "a").write_text("a")
        with pytest.raises(SequenceError, match="another recorder"), staging_folder(tmp_path, "last.txt"):
            pass
        assert (staging / "a").exists()


def test_write_errors_are_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SequenceError, match="Not a directory; make room or choose another"):
        write(tmp_path / "file" / "out", None)
    with pytest.raises(SequenceError, match=r"cannot write /big: No space left on device"):
        write(tmp_path / "out", OSError(28, "No space left on device", "/big"))
    assert not (tmp_path / "out").exists()
