# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Of a bag that was cut off or damaged, every message that still is whole is recorded, and the loss is said.

DEPTH_NODE_CUTS=50 tries as many random cuts of each kind of bag (5 otherwise).
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import struct

import numpy as np
import pytest

from depth_node.bags.opening import open_bag
from depth_node.bags.reader import BagReader, DamagedBagError
from depth_node.cli.main import main
from depth_node.config.record import RecordConfig
from depth_node.recording.recorder import record

CUTS = int(os.environ.get("DEPTH_NODE_CUTS", "5"))
KINDS = [("mcap", ""), ("mcap", "storage"), ("mcap", "message"), ("sqlite3", ""), ("sqlite3", "message"),
         ("mcap", "file"), ("sqlite3", "file")]  # fmt: skip


def messages(path) -> list[tuple[str, int, bytes]]:
    with open_bag(path) as bag:
        return [(m.topic, m.time_ns, bytes(m.raw)) for m in bag.messages([topic.name for topic in bag.topics])]


def storage_file(bag):
    (file,) = (path for path in bag.iterdir() if path.name != "metadata.yaml")
    return file


def ends(file) -> list[int] | None:
    """Where each message of an unchunked or uncompressed mcap file ends; None for other files."""
    data = file.read_bytes()
    if file.suffix != ".mcap":
        return None
    found, position = [], 8
    while position < len(data) - 8:
        opcode, length = struct.unpack_from("<BQ", data, position)
        if opcode == 6:
            if struct.unpack_from("<I", data, position + 9 + 28)[0]:
                return None
            inner, stop = position + 9 + 40, position + 9 + length
            while inner < stop:
                kind, size = struct.unpack_from("<BQ", data, inner)
                inner += 9 + size
                if kind == 5:
                    found.append(inner)
        position += 9 + length
    return found


@pytest.mark.parametrize(("storage", "zstd"), KINDS)
def test_cut_at_a_random_byte(drive_bag, tmp_path, storage, zstd):
    bag = drive_bag(frames=16, storage=storage, zstd=zstd)
    whole = messages(bag)
    assert len(whole) == 32
    file = storage_file(bag)
    data, where = file.read_bytes(), ends(file)
    draw = random.Random(f"{storage}{zstd}")
    for number in range(CUTS):
        size = draw.randrange(len(data)) if number else len(data) - 1
        file.write_bytes(data[:size])
        saved = []
        with contextlib.suppress(DamagedBagError), open_bag(bag) as reader:  # nothing whole may be left
            topics = [topic.name for topic in reader.topics]
            saved = [(m.topic, m.time_ns, bytes(m.raw)) for m in reader.messages(topics)]
            assert reader.loss.messages == len(whole) - len(saved)
        assert saved == [message for message in whole if message in saved], "only what was there, in its order"
        if where is not None:  # of sqlite3, test_sqlite_salvage.py says which
            assert len(saved) == sum(end <= size for end in where), f"{size} of {len(data)} bytes"


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_flipped_bytes_lose_little(drive_bag, tmp_path, storage):
    bag = drive_bag(frames=12, storage=storage)
    file = storage_file(bag)
    data = file.read_bytes()
    for at in random.Random(2).sample(range(len(data) // 4, 3 * len(data) // 4), CUTS):
        damaged = bytearray(data)
        damaged[at : at + 16] = os.urandom(16)
        file.write_bytes(damaged)
        with open_bag(bag, salvage=True) as reader:
            assert len(list(reader.messages([topic.name for topic in reader.topics]))) >= 12


def test_a_cut_bag_is_recorded_and_the_loss_is_said(drive_bag, tmp_path, capfd):
    bag = drive_bag(frames=20)
    data = storage_file(bag).read_bytes()
    record([bag], tmp_path / "whole", RecordConfig())
    storage_file(bag).write_bytes(data[: len(data) // 2])
    assert main(["record", str(bag), "--output", str(tmp_path / "out")]) == 0
    output = capfd.readouterr().out
    assert "bag drive is damaged, " in output
    assert "messages are lost" in output
    manifest = record([bag], tmp_path / "out", RecordConfig())
    (drive,) = manifest.drives
    assert 8 <= len(drive.frames) <= 10
    first = [frame.sha256 for frame in record([bag], tmp_path / "out", RecordConfig()).drives[0].frames]
    reference = record_reference(tmp_path / "whole")
    assert first == reference[: len(first)]
    assert manifest.bags[0].lost.messages == 40 - manifest.bags[0].messages


def record_reference(folder) -> list[str]:
    from depth_node.recording.manifest import read_manifest

    return [frame.sha256 for frame in read_manifest(folder / "manifest.json").drives[0].frames]


def test_damage_that_shows_in_the_middle_falls_back(drive_bag, tmp_path):
    bag = drive_bag(frames=20, zstd="message")
    file = storage_file(bag)
    data = bytearray(file.read_bytes())
    at = data.index(b"\x28\xb5\x2f\xfd", len(data) // 2)
    data[at + 5 : at + 60] = bytes(55)  # one message no longer decompresses
    file.write_bytes(data)
    with pytest.raises(DamagedBagError), BagReader(bag) as reader:
        list(reader.messages([topic.name for topic in reader.topics]))
    manifest = record([bag], tmp_path / "out", RecordConfig())
    assert sum(len(drive.frames) for drive in manifest.drives) >= 19
    assert manifest.bags[0].lost.messages == 1


def test_a_recording_that_was_never_closed(drive_bag, tmp_path):
    bag = drive_bag(frames=6)
    (bag / "metadata.yaml").unlink()
    manifest = record([bag], tmp_path / "out", RecordConfig())
    assert len(manifest.drives[0].frames) == 6
    assert "not closed" in manifest.bags[0].lost.note


def test_one_dead_bag_among_others_is_only_noted(drive_bag, tmp_path):
    bags = tmp_path / "bags"
    bags.mkdir()
    for name in ("bag_1", "bag_2", "bag_10"):
        shutil.move(drive_bag(name, 6, start=1000 * int(name[4:])), bags)
    storage_file(bags / "bag_2").write_bytes(b"")
    manifest = record([bags], tmp_path / "out", RecordConfig())
    assert [drive.bag for drive in manifest.drives] == ["bag_1", "bag_10"]
    assert [bag.name for bag in manifest.bags if bag.lost] == ["bag_2"]


def test_a_missing_part_of_a_split_bag(split_bag, tmp_path):
    bag = split_bag(3)
    sorted(bag.glob("*.mcap"))[1].unlink()
    manifest = record([bag], tmp_path / "out", RecordConfig())
    assert [len(drive.frames) for drive in manifest.drives] == [8, 8]
    assert manifest.drives[1].begins.startswith("gap of")
    assert manifest.bags[0].lost.messages == 16
    assert np.diff([frame.stamp_ns for frame in manifest.drives[0].frames]).max() == 100_000_000
