# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A file is written whole or not at all."""

import subprocess
import sys

import pytest

from depth_node.atomic_file import clear_partial, replacing, swapping
from depth_node.errors import OutputError


def test_written_at_the_end(tmp_path):
    path = tmp_path / "new/folder/file.json"
    with replacing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.suffix == ".json"
    assert path.read_text() == "whole"
    assert [file.name for file in path.parent.iterdir()] == ["file.json"]


def write_half(path):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError


def test_the_old_file_survives_a_failure(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write_half(path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "taken").mkdir()
    with (
        pytest.raises(OutputError, match=r"cannot write .*taken: Is a directory"),
        replacing(tmp_path / "taken") as path,
    ):
        path.touch()


def test_what_a_killed_writer_left_is_cleared_and_nothing_else(tmp_path):
    script = """
import os, sys
from pathlib import Path
from depth_node.atomic_file import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), 9)
"""
    (tmp_path / ".hidden.1.json").write_text("the user's")
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "file.json")], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    clear_partial(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [".hidden.1.json"]


def test_swapping_leaves_the_systems_error(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError), swapping(tmp_path / "taken") as path:
        path.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]
