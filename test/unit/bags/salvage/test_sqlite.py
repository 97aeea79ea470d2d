# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Of a cut or never closed database exactly the rows are read that are there, as SQLite itself tells."""

from __future__ import annotations

import random
import shutil
import sqlite3

import numpy as np
import pytest

from depth_node.bags.opening import open_bag
from depth_node.bags.reader import BagReader, DamagedBagError
from depth_node.bags.salvage.sqlite import SqliteScan
from depth_node.config.record import RecordConfig
from depth_node.recording.recorder import record

STAMP = 1_317_038_400_000_000_000
SIZES = {"pictures": (48, 64), "short messages": (2, 2)}


@pytest.fixture(params=SIZES)
def database(request, tmp_path, bag_maker):
    """The file of a bag with 60 pictures and their calibration; a picture fills three pages, or a tenth of one."""
    height, width = SIZES[request.param]
    pixels = np.random.default_rng(0).integers(0, 256, (60, height, width, 3), np.uint8)
    with bag_maker(tmp_path / "bag", "sqlite3") as bag:
        for index, picture in enumerate(pixels):
            bag.image(STAMP + index, picture)
            bag.info(STAMP + index, width, height)
    return tmp_path / "bag" / "bag.db3"


def scanned(path) -> list[tuple[str, int, bytes]]:
    return [(saved.topic, saved.time_ns, bytes(saved.data)) for saved in SqliteScan(path)]


def selected(path) -> list[tuple[str, int, bytes]]:
    query = "SELECT name, timestamp, data FROM messages JOIN topics ON topics.id = topic_id ORDER BY messages.id"
    connection = sqlite3.connect(path)
    rows = connection.execute(query).fetchall()
    connection.close()
    return rows


def places(path) -> list[tuple[int, int]]:
    """Where each message's leaf page and the last byte of its overflow pages end, by SQLite's own account."""
    connection = sqlite3.connect(path)
    try:
        pages = connection.execute(
            "SELECT path, pageno, pagetype, ncell, payload, pgsize FROM dbstat WHERE name = 'messages' ORDER BY path"
        ).fetchall()
    except sqlite3.OperationalError:
        pytest.skip("SQLite was built without dbstat")
    finally:
        connection.close()
    leaves = [(where, page, count) for where, page, kind, count, _, _ in pages if kind == "leaf"]
    overflow: dict[tuple[str, int], int] = {}
    for where, page, kind, _, payload, size in pages:
        if kind == "overflow":
            leaf, _, cell = where.rpartition("/")
            key = (f"{leaf}/", int(cell.split("+")[0], 16))
            overflow[key] = max(overflow.get(key, 0), (page - 1) * size + 4 + payload)
    size = pages[0][5]
    # A leaf's path is its place among its parent's children; below it, each cell with overflow has one of its own.
    return [
        (page * size, overflow.get((f"{where}/" if not where.endswith("/") else where, cell), 0))
        for where, page, count in leaves
        for cell in range(count)
    ]


def test_exactly_what_lies_before_the_cut(database, tmp_path):
    whole, ends, data = selected(database), places(database), database.read_bytes()
    assert len(whole) == len(ends) == 120
    assert scanned(database) == whole
    cut, draw = tmp_path / "cut.db3", random.Random(3)
    for size in sorted(draw.randrange(len(data) // 5, len(data)) for _ in range(40)):
        cut.write_bytes(data[:size])
        saved = scanned(cut)
        # The row in the page that is cut may be whole or not: cells grow from the end of a page to its front.
        must = [row for row, (leaf, rest) in zip(whole, ends, strict=True) if max(leaf, rest) <= size]
        may = [row for row, (leaf, rest) in zip(whole, ends, strict=True) if max(leaf - 4096, rest) < size]
        assert [row for row in must if row not in saved] == [], size
        assert [row for row in saved if row not in may] == [], size


@pytest.fixture
def crashed(database, tmp_path):
    """A bag whose last 90 messages are in a write-ahead log, 20 of them in a transaction that never ended."""
    rows = sqlite3.connect(database).execute("SELECT topic_id, timestamp, data FROM messages ORDER BY id").fetchall()
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("DELETE FROM messages WHERE id > 30")
    connection.execute("VACUUM")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    insert = "INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)"
    for first, last in ((30, 60), (60, 100), (100, 120)):
        connection.execute("PRAGMA cache_size = 5")  # what does not fit goes into the log before the transaction ends
        connection.execute("BEGIN")
        connection.executemany(insert, rows[first:last])
        if last < 120:
            connection.execute("COMMIT")
    folder = tmp_path / "crashed"
    folder.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{database}{suffix}", folder / f"crashed_0.db3{suffix}")
    connection.close()
    return folder / "crashed_0.db3"


def test_committed_rows_of_the_log_are_read(crashed, tmp_path):
    saved = scanned(crashed)
    assert len(saved) == 100
    shutil.copytree(crashed.parent, tmp_path / "copy")  # SQLite clears the log when it closes
    assert selected(tmp_path / "copy" / crashed.name) == saved


def test_a_cut_or_damaged_log_counts_up_to_its_last_whole_transaction(crashed, tmp_path):
    log = crashed.with_name(f"{crashed.name}-wal")
    data, draw = log.read_bytes(), random.Random(1)
    counts = set()
    for number in range(24):
        size = draw.randrange(len(data))
        damaged = bytearray(data[:size] if number % 2 else data)
        if not number % 2 and number:
            damaged[size] ^= 1
        log.write_bytes(damaged)
        saved = scanned(crashed)
        folder = tmp_path / str(number)
        shutil.copytree(crashed.parent, folder)
        assert saved == selected(folder / crashed.name), (number, size)
        counts.add(len(saved))
    assert counts == {30, 60, 100}


def test_a_bag_with_a_log_is_recorded_with_what_the_log_holds(tmp_path, bag_maker, crashed):
    with pytest.raises(DamagedBagError, match=r"newest messages are still in crashed_0\.db3-wal"):
        BagReader(crashed).__enter__()
    for path in (crashed, crashed.parent):
        with open_bag(path) as bag:
            assert sum(topic.count for topic in bag.topics) == 100
            assert sum(1 for _ in bag.messages([topic.name for topic in bag.topics])) == 100
    manifest = record([crashed], tmp_path / "out", RecordConfig(select="all"))
    assert sum(len(drive.frames) + len(drive.dropped) for drive in manifest.drives) == 50
    assert {file.name for file in manifest.bags[0].files} == {"crashed_0.db3", "crashed_0.db3-wal"}
    assert "crashed_0.db3-wal" in manifest.bags[0].lost.note
