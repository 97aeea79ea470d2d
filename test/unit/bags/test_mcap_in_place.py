# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Chunks read in place give what rosbags gives, in its order."""

from __future__ import annotations

import random

import numpy as np
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, Reader, ReaderError, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from depth_node.bags import mcap_in_place
from depth_node.bags.mcap_in_place import InPlaceReader, can_be_read_in_place

STORE = get_typestore(Stores.ROS2_HUMBLE)


def write(folder, times, zstd=False):
    """A bag of two topics with messages of 300 kB, four to a chunk."""
    noise = np.random.default_rng(0)
    bag = Writer(folder, version=8, storage_plugin=StoragePlugin.MCAP)
    if zstd:
        bag.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with bag as writer:
        topics = [writer.add_connection(name, "std_msgs/msg/String", typestore=STORE) for name in ("/a", "/b")]
        for number, time_ns in enumerate(times):
            text = STORE.types["std_msgs/msg/String"](data=noise.bytes(150_000).hex())
            writer.write(topics[number % 2], time_ns, STORE.serialize_cdr(text, "std_msgs/msg/String"))
    return folder


def everything(reader, topics=("/a", "/b")) -> list[tuple[str, int, bytes]]:
    with reader:
        wanted = [connection for connection in reader.connections if connection.topic in topics]
        return [(connection.topic, time_ns, bytes(data)) for connection, time_ns, data in reader.messages(wanted)]


ORDERS = {
    "sorted": list(range(100, 124)),
    "equal stamps": [100 + number // 5 for number in range(24)],
    "mixed within chunks": [100 + (number ^ 1) for number in range(24)],
    "mixed all over": random.Random(0).sample(range(100, 124), 24),
}


@pytest.mark.parametrize("zstd", [False, True])
@pytest.mark.parametrize("order", ORDERS)
def test_the_same_messages_in_the_same_order(tmp_path, order, zstd):
    bag = write(tmp_path / "bag", ORDERS[order], zstd)
    expected = everything(Reader(bag))
    assert len(expected) == 24
    assert everything(InPlaceReader(bag)) == expected
    assert everything(InPlaceReader(bag / "bag.mcap")) == expected
    assert everything(InPlaceReader(bag), ["/b"]) == [message for message in expected if message[0] == "/b"]
    with InPlaceReader(bag / "bag.mcap") as reader:
        assert can_be_read_in_place(reader.storage.chunks) == (order != "mixed all over" and not zstd)
        assert len(reader.storage.chunks) == 6


def test_messages_outlive_their_reader_and_are_read_only(tmp_path):
    bag = write(tmp_path / "bag", ORDERS["sorted"])
    expected = everything(Reader(bag))
    with InPlaceReader(bag) as reader:
        views = [data for _, _, data in reader.messages()]
    assert [bytes(view) for view in views] == [data for _, _, data in expected]
    assert all(view.readonly for view in views)


@pytest.mark.parametrize("missing", ["MADV_POPULATE_READ", "MAP_PRIVATE"])
def test_where_files_cannot_be_mapped_they_are_copied(tmp_path, monkeypatch, missing):
    bag = write(tmp_path / "bag", ORDERS["sorted"])
    expected = everything(Reader(bag))
    if missing == "MAP_PRIVATE":  # as on a system without it
        monkeypatch.delattr(mcap_in_place.mmap, missing)
    else:  # as an older kernel answers
        monkeypatch.setattr(mcap_in_place, missing, 9999)
    assert everything(InPlaceReader(bag)) == expected


@pytest.mark.parametrize(
    ("at", "content", "message"),
    [
        (50, (10**9).to_bytes(8, "little"), "beyond its chunk"),
        (33, b"\x01\x02\x03\x04", "does not fit its checksum"),
    ],
)
def test_damage_in_a_chunk_is_found(tmp_path, at, content, message):
    bag = write(tmp_path / "bag", ORDERS["sorted"])
    with Reader(bag / "bag.mcap") as reader:
        at += reader.storage.chunks[2].chunk_start_offset
    data = bytearray((bag / "bag.mcap").read_bytes())
    data[at : at + len(content)] = content
    (bag / "bag.mcap").write_bytes(data)
    with pytest.raises(ReaderError, match=message):
        everything(InPlaceReader(bag))
