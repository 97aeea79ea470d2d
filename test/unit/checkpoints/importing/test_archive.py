# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Zip archives of official folders: only known files, never elsewhere, never more than they say."""

from __future__ import annotations

import os
import struct
import zipfile

import pytest

from depth_node.checkpoints.importing import archive
from depth_node.checkpoints.importing.archive import unpacked
from depth_node.checkpoints.importing.importer import import_official
from depth_node.errors import CheckpointError

BOTH = {"encoder.pth": b"encoder", "depth.pth": b"depth"}


@pytest.fixture
def zipped(tmp_path):
    """Writes an archive of names and contents."""

    def write(files, **options):
        with zipfile.ZipFile(tmp_path / "a.zip", "w", **options) as file:
            for name, data in files.items():
                file.writestr(name, data)
        return tmp_path / "a.zip"

    return write


def refusal(path):
    with pytest.raises(CheckpointError) as caught, unpacked(path):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("inside", ["", "model/", "a/b/", "/etc/", "../../"])
def test_known_files_are_unpacked_under_their_own_names(zipped, tmp_path, inside):
    others = {"../escaped.txt": b"x", "__MACOSX/encoder.pth": b"x", "__MACOSX/depth.pth": b"x", "adam.pth": b"x"}
    path = zipped({inside + name: data for name, data in BOTH.items()} | others)
    with unpacked(path) as folder:
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == BOTH
    assert not folder.exists()
    assert os.listdir(tmp_path) == ["a.zip"]


def test_a_bomb_is_refused_before_it_is_unpacked(zipped, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 10**6)
    path = zipped(BOTH | {"depth.pth": bytes(2 * 10**6)}, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10**4
    assert "is refused: it would unpack to 2000007 bytes" in refusal(path)


def test_a_bomb_that_lies_about_its_size_is_damaged(zipped, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 10**6)
    path = zipped(BOTH | {"depth.pth": bytes(2 * 10**6)}, compression=zipfile.ZIP_DEFLATED)
    data, size = path.read_bytes(), struct.pack("<I", 2 * 10**6)
    assert data.count(size) == 2
    path.write_bytes(data.replace(size, struct.pack("<I", 1000)))
    assert "is damaged, get it again (Bad CRC-32" in refusal(path)


def test_other_archives_are_told_apart(zipped):
    assert "no encoder.pth with a depth.pth beside it" in refusal(zipped({"a/encoder.pth": b"", "b/depth.pth": b""}))
    two = {f"{place}/{name}": b"" for place in "ab" for name in BOTH}
    assert "holds several networks: unpack it" in refusal(zipped(two))
    path = zipped(BOTH)
    path.write_bytes(path.read_bytes()[:-10])
    assert "cut off, get it again" in refusal(path)
    data = zipped(BOTH).read_bytes()
    path.write_bytes(data.replace(b"encoderPK", b"ENCODERPK"))
    assert "is damaged, get it again" in refusal(path)


def test_an_archive_is_imported_and_its_errors_name_it(official, zipped, tmp_path):
    folder = official.hr_depth(tmp_path / "lite", lite=True).path
    files = {f"lite/{file.name}": file.read_bytes() for file in folder.iterdir()}
    info, found = import_official(zipped(files))
    assert (found.family, info.training["files"]) == ("lite_hr_depth", "a.zip")
    path = zipped(files | {"lite/depth.pth": files["lite/depth.pth"][:5000]})
    with pytest.raises(CheckpointError, match=rf"^{path}/depth\.pth is damaged or cut off at 5000 bytes"):
        import_official(path)
