# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures from the cache are those of the files, whatever happens to files, disk and other processes."""

import logging
import pickle
import resource
import shutil
import subprocess
import sys
from collections import namedtuple

import cv2
import numpy as np
import pytest
import torch

from depth_node.camera.network_input import resize_image
from depth_node.datasets import cache_shards, frame_cache
from depth_node.datasets.frame_cache import FrameCache
from depth_node.datasets.triplets import open_splits
from depth_node.errors import SequenceError
from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.layout import frame_name
from depth_node.kitti.search import find_sequences

FRAMES, HEIGHT, WIDTH = 12, 64, 128
PICTURE = HEIGHT * WIDTH * 3
FILL = """
import sys
from pathlib import Path
from depth_node.datasets.frame_cache import FrameCache
from depth_node.kitti.search import find_sequences
sequence, = find_sequences(Path(sys.argv[1]))
FrameCache(Path(sys.argv[2]), 64, 128).fill((sequence, frame) for frame in sequence.frames)
"""


@pytest.fixture
def root(tmp_path):
    """A folder with one drive of random pictures in PNG files."""
    drive = tmp_path / "kitti/2024_01_01/2024_01_01_drive_0001_sync"
    (drive / "image_02/data").mkdir(parents=True)
    write_calibration(drive.parent, np.array([[150.0, 0, 99.5], [0, 150, 29.5], [0, 0, 1]]), 200, 90, stamp_ns=0)
    for index in range(FRAMES):
        write_picture(drive / "image_02/data" / frame_name(index, ".png"), index)
    return tmp_path / "kitti"


def write_picture(path, seed):
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 256, (90, 200, 3), np.uint8))


def filled(root, folder):
    (sequence,) = find_sequences(root)
    cache = FrameCache(folder, HEIGHT, WIDTH)
    cache.fill((sequence, frame) for frame in sequence.frames)
    return cache, sequence


def from_files(sequence, frame):
    return resize_image(sequence.image(frame), HEIGHT, WIDTH)


def test_batches_are_those_of_the_files_to_the_bit(root, tmp_path):
    plain, cached = (
        part for cache in (None, tmp_path / "cache") for part in open_splits(root, HEIGHT, WIDTH, cache=cache)[:1]
    )
    assert len(plain) == len(cached) > 5
    for index in range(len(plain)):
        for name in ("target", "sources", "K"):
            assert torch.equal(getattr(plain[index], name), getattr(cached[index], name))
    assert cached.cache.frame(*cached.targets[0]) is not None


def test_shards_are_bounded_and_made_once(root, tmp_path, monkeypatch):
    monkeypatch.setattr(cache_shards, "SHARD_BYTES", 5 * PICTURE + 1)
    cache, sequence = filled(root, tmp_path / "cache")
    shards = sorted((tmp_path / "cache/128x64").iterdir(), key=lambda path: path.stat().st_size)
    assert [path.stat().st_size // PICTURE for path in shards] == [2, 5, 5]
    for frame in sequence.frames:
        assert torch.equal(cache.frame(sequence, frame), from_files(sequence, frame))
    made = [path.stat().st_ino for path in shards]
    filled(root, tmp_path / "cache")
    assert [path.stat().st_ino for path in shards] == made


def test_only_what_is_wanted_is_made(root, tmp_path, monkeypatch):
    monkeypatch.setattr(cache_shards, "SHARD_BYTES", 5 * PICTURE)
    (sequence,) = find_sequences(root)
    cache = FrameCache(tmp_path / "cache", HEIGHT, WIDTH)
    cache.fill([(sequence, 1), (sequence, 3)])
    assert len(list((tmp_path / "cache/128x64").iterdir())) == 1
    assert cache.frame(sequence, 5) is None


def test_a_changed_picture_is_never_served_stale(root, tmp_path):
    filled(root, tmp_path / "cache")
    (sequence,) = find_sequences(root)
    write_picture(sequence.image_path(7), 100)
    cache, _ = filled(root, tmp_path / "cache")
    assert torch.equal(cache.frame(sequence, 7), from_files(sequence, 7))


def test_other_sizes_and_methods_have_shards_of_their_own(root, tmp_path, monkeypatch):
    filled(root, tmp_path / "cache")
    monkeypatch.setattr(cache_shards, "METHOD", "another")
    filled(root, tmp_path / "cache")
    assert len(list((tmp_path / "cache/128x64").iterdir())) == 2


def test_two_processes_fill_one_folder(root, tmp_path):
    command = [sys.executable, "-c", FILL, str(root), str(tmp_path / "cache")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("12 frames" in text for text in said) == 1  # the other one waited
    cache, sequence = filled(root, tmp_path / "cache")
    assert all(torch.equal(cache.frame(sequence, i), from_files(sequence, i)) for i in range(FRAMES))
    assert len(list((tmp_path / "cache/128x64").iterdir())) == 1


def test_leftovers_of_a_killed_process_go(root, tmp_path):
    left = tmp_path / "cache/128x64/.0123.99.rgb"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    filled(root, tmp_path / "cache")
    assert not left.exists()


def test_a_full_disk_is_one_line_and_files_serve(root, tmp_path, monkeypatch, caplog):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(frame_cache.shutil, "disk_usage", lambda _: usage(10_000))
    cache, sequence = filled(root, tmp_path / "cache")
    assert cache.frame(sequence, 3) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "12 frames of 128x64 need 0.00 GB" in record.message
    assert "\n" not in record.message


def test_a_disk_that_fills_up_while_writing(root, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(cache_shards, "SHARD_BYTES", 5 * PICTURE)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * PICTURE, before[1]))
    try:
        cache, sequence = filled(root, tmp_path / "cache")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "incomplete" in caplog.text
    assert not list((tmp_path / "cache/128x64").glob(".*"))
    # What was written serves, the rest comes from the files.
    (train, _) = open_splits(root, HEIGHT, WIDTH)
    train.cache = cache
    assert torch.equal(train[0].target, from_files(sequence, train.targets[0][1]))


def test_no_folder_can_be_made(root, tmp_path, caplog):
    (tmp_path / "cache").write_text("a file")
    cache, sequence = filled(root, tmp_path / "cache")
    assert cache.frame(sequence, 0) is None
    assert "read from their files" in caplog.text


def test_a_broken_picture_stops_with_its_name(root, tmp_path):
    (sequence,) = find_sequences(root)
    sequence.image_path(4).write_bytes(b"no picture")
    with pytest.raises(SequenceError, match=r"0000000004\.png is no readable picture"):
        filled(root, tmp_path / "cache")


def test_a_broken_picture_that_nobody_asks_for_is_no_harm(root, tmp_path, caplog):
    (sequence,) = find_sequences(root)
    sequence.image_path(4).write_bytes(b"no picture")
    cache = FrameCache(tmp_path / "cache", HEIGHT, WIDTH)
    cache.fill([(sequence, 7)])
    assert cache.frame(sequence, 7) is None
    (record,) = caplog.records
    assert "12 frames are not cached, for " in record.message
    assert "0000000004.png is no readable picture" in record.message


def test_an_emptied_cache_is_no_harm(root, tmp_path):
    cache, sequence = filled(root, tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    assert cache.frame(sequence, 2) is None


def test_a_copy_in_another_process_opens_the_files_itself(root, tmp_path):
    cache, sequence = filled(root, tmp_path / "cache")
    first = cache.frame(sequence, 5)
    sent = pickle.dumps(cache)
    assert len(sent) < PICTURE
    assert torch.equal(pickle.loads(sent).frame(sequence, 5), first)


def test_what_a_run_does_to_its_pictures_stays_with_it(root, tmp_path):
    cache, sequence = filled(root, tmp_path / "cache")
    cache.frame(sequence, 5).zero_()
    again, _ = filled(root, tmp_path / "cache")
    assert torch.equal(again.frame(sequence, 5), from_files(sequence, 5))
