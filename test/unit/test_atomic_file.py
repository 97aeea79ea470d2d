# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A file is written whole or not at all."""

import pytest

from depth_node.atomic_file import replacing
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
