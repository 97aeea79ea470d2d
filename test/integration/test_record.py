# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Bag in, sequence folder out, opened by pykitti and read back; every failure leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
import os
import resource
import signal
import subprocess
import sys
from datetime import datetime

import cv2
import numpy as np
import pykitti
import pytest
from PIL import Image

from depth_node.cli.main import main
from depth_node.config.record import RecordConfig
from depth_node.errors import BagError, CalibrationError, EncodingError, SequenceError
from depth_node.kitti.layout import FrameReference, KittiSequence, read_split
from depth_node.recording.manifest import read_manifest
from depth_node.recording.recorder import record

STAMP = 1_317_038_400_123_456_789
STEP = 100_000_000
DATE, W, H = "2011_09_26", 32, 24
DRIVE = f"{DATE}/{DATE}_drive_0001_sync"


def pictures(count: int) -> np.ndarray:
    """(count, H, W, 3) uint8 RGB, smooth as photographs are."""
    y, x, t = np.mgrid[0:H, 0:W, 0:count].transpose(0, 3, 1, 2)
    return np.stack([x * 7, y * 9, 40 + 10 * t], -1).astype(np.uint8)


def content(folder) -> dict[str, str]:
    """Hash of every file of a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_pykitti_opens_a_recorded_bag(tmp_path, bag_maker, storage):
    frames = pictures(12)
    with bag_maker(tmp_path / "bag", storage) as bag:
        for index, frame in enumerate(frames):
            bag.image(STAMP + index * STEP, frame[..., ::-1], "bgr8")
            bag.info(STAMP + index * STEP, W, H, focal=123.456789012345)
    assert main(["record", str(tmp_path / "bag"), "--output", str(tmp_path / "out")]) == 0

    kitti = pykitti.raw(str(tmp_path / "out"), DATE, "0001")
    np.testing.assert_array_equal(kitti.calib.K_cam2, [[123.456789012345, 0, 16], [0, 123.456789012345, 12], [0, 0, 1]])
    assert kitti.calib.b_rgb == 0
    assert len(kitti) == len(kitti.cam2_files) == 12
    assert kitti.timestamps[1] == datetime(2011, 9, 26, 12, 0, 0, 223456)
    for index in (0, 11):
        np.testing.assert_array_equal(np.asarray(kitti.get_cam2(index)), frames[index])

    sequence = KittiSequence(tmp_path / "out" / DRIVE)
    assert sequence.stamps_ns == tuple(STAMP + index * STEP for index in range(12))
    assert read_split(tmp_path / "out/splits/train_files.txt") == [FrameReference(DRIVE, i) for i in range(1, 8)]
    assert read_split(tmp_path / "out/splits/val_files.txt") == [FrameReference(DRIVE, 10)]


def test_a_sensor_of_twelve_bits_that_starts_in_the_dark(tmp_path, bag_maker):
    """Bits are counted over the whole bag, so that no picture changes its brightness on the way."""
    frames = pictures(12)
    with bag_maker(tmp_path / "bag") as bag:
        for index, frame in enumerate(frames):
            grey = frame[..., 0] // (8 if index < 6 else 1)
            bag.image(STAMP + index * STEP, (grey.astype(np.uint16) << 4) + 9, "mono16")
            bag.info(STAMP + index * STEP, W, H)
    record([tmp_path / "bag"], tmp_path / "out", RecordConfig(select="all"))
    sequence = KittiSequence(tmp_path / "out" / DRIVE)
    np.testing.assert_array_equal(sequence.image(0)[..., 0], frames[0][..., 0] // 8)
    np.testing.assert_array_equal(sequence.image(11)[..., 0], frames[11][..., 0])


def test_a_jpeg_that_is_to_be_turned_is_stored_as_calibrated(tmp_path, bag_maker):
    """Whoever reads it, by whatever library, gets the pixels that the calibration is for."""
    exif, streams = Image.Exif(), []
    exif[0x0112] = 3
    for frame in pictures(4):
        streams.append(io.BytesIO())
        Image.fromarray(frame).save(streams[-1], "JPEG", quality=95, exif=exif)
    with bag_maker(tmp_path / "bag") as bag:
        for index, stream in enumerate(streams):
            bag.compressed(STAMP + index * STEP, stream.getvalue())
            bag.info(STAMP + index * STEP, W, H, topic="/camera/camera_info")
    record([tmp_path / "bag"], tmp_path / "out", RecordConfig(format="jpg", select="all"))
    path = KittiSequence(tmp_path / "out" / DRIVE).image_path(1)
    for picture in (cv2.imread(str(path))[..., ::-1], np.asarray(Image.open(path))):
        assert np.abs(picture.astype(int) - pictures(4)[1]).mean() < 4
    path.write_bytes(streams[1].getvalue())  # as an older recorder, or another program, has written it
    kept = KittiSequence(tmp_path / "out" / DRIVE).image(1)
    assert np.abs(kept.astype(int) - pictures(4)[1]).mean() < 4


def test_jpeg_topic_is_copied_byte_for_byte(tmp_path, bag_maker):
    jpegs = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in pictures(4)]
    with bag_maker(tmp_path / "bag") as bag:
        for index, jpeg in enumerate(jpegs):
            bag.compressed(STAMP + index * STEP, jpeg)
        bag.info(STAMP + 9 * STEP, W, H)  # latched, and late
    manifest = record([tmp_path / "bag"], tmp_path / "jpg", RecordConfig(format="jpg"))
    written = sorted((tmp_path / "jpg" / DRIVE / "image_02/data").iterdir())
    assert [path.read_bytes() for path in written] == jpegs
    assert [frame.sha256 for frame in manifest.drives[0].frames] == [hashlib.sha256(j).hexdigest() for j in jpegs]

    record([tmp_path / "bag"], tmp_path / "png", RecordConfig(format="png"))
    image = KittiSequence(tmp_path / "png" / DRIVE).image(2)
    np.testing.assert_array_equal(image, cv2.imdecode(np.frombuffer(jpegs[2], np.uint8), 1)[..., ::-1])


def test_stamps_out_of_order_and_broken_jpegs_are_dropped_with_reasons(tmp_path, bag_maker):
    jpeg = cv2.imencode(".jpg", pictures(1)[0])[1].tobytes()
    with bag_maker(tmp_path / "bag") as bag:
        for index, (offset, data) in enumerate(
            [(0, jpeg), (1, jpeg[:-30]), (2, jpeg), (2, jpeg), (1, jpeg), (3, jpeg)]
        ):
            bag.compressed(STAMP + offset * STEP, data, time_ns=STAMP + index)
            bag.info(STAMP + index, W, H)
    manifest = record([tmp_path / "bag"], tmp_path / "out", RecordConfig(format="jpg", select="all"))
    drive = manifest.drives[0]
    assert [(frame.index, frame.stamp_ns) for frame in drive.frames] == [
        (0, STAMP),
        (1, STAMP + 2 * STEP),
        (2, STAMP + 3 * STEP),
    ]
    assert sorted(frame.reason.split(" (")[0][:25] for frame in drive.dropped) == [
        "compressed image is a JPE",
        "same stamp as the frame b",
        "stamp before that of an e",
    ]
    assert KittiSequence(tmp_path / "out" / DRIVE).frames == (0, 1, 2)
    assert read_manifest(tmp_path / "out/manifest.json") == manifest


def test_a_damaged_raw_image_is_dropped_and_the_rest_recorded(tmp_path, bag_maker):
    with bag_maker(tmp_path / "bag") as bag:
        for index, frame in enumerate(pictures(4)):
            stamp = STAMP + index * STEP
            if index == 1:
                header, data = bag.header(stamp), np.zeros(10, np.uint8)
                shape = {"height": H, "width": W, "encoding": "rgb8", "is_bigendian": 0, "step": 3 * W}
                bag.add("/camera/image_raw", "sensor_msgs/msg/Image", stamp, header=header, data=data, **shape)
            else:
                bag.image(stamp, frame)
            bag.info(stamp, W, H)
    (drive,) = record([tmp_path / "bag"], tmp_path / "out", RecordConfig(select="all")).drives
    assert [frame.stamp_ns for frame in drive.frames] == [STAMP, STAMP + 2 * STEP, STAMP + 3 * STEP]
    assert [(frame.source, frame.category) for frame in drive.dropped] == [(1, "damaged")]


def test_unset_stamps_can_be_replaced_by_bag_time(tmp_path, bag_maker):
    with bag_maker(tmp_path / "bag") as bag:
        for index, frame in enumerate(pictures(4)):
            bag.image(0, frame, time_ns=STAMP + index * STEP)
        bag.info(STAMP, W, H)
    manifest = record([tmp_path / "bag"], tmp_path / "out", RecordConfig(stamps="bag"))
    assert [frame.stamp_ns for frame in manifest.drives[0].frames] == [STAMP + i * STEP for i in range(4)]


def test_workers_change_nothing(make_bag, tmp_path):
    bag = make_bag(frames=20)
    for workers in (1, 2, 7):
        record([bag], tmp_path / str(workers), RecordConfig(workers=workers))
    assert content(tmp_path / "1") == content(tmp_path / "2") == content(tmp_path / "7")


def test_memory_does_not_grow_with_the_bag(make_bag, tmp_path):
    code = """
import resource, sys
from pathlib import Path
from depth_node.config.record import RecordConfig
from depth_node.recording.recorder import record
record([Path(sys.argv[1])], Path(sys.argv[2]), RecordConfig(workers=1, format="jpg", select=sys.argv[3]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
    bags = [make_bag("short", frames=30, width=640, height=480), make_bag("long", frames=190, width=640, height=480)]

    def peak(bag, select) -> float:
        command = [sys.executable, "-c", code, str(bag), str(tmp_path / f"{bag.name}_{select}"), select]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert peak(bags[1], "all") - peak(bags[0], "all") < 50  # MB; the bags differ by 140


def test_several_bags_are_drives_of_one_day(make_bag, tmp_path):
    bags = [make_bag("one"), make_bag("two", storage="sqlite3")]
    seen: list[tuple[int, int]] = []
    manifest = record(bags, tmp_path / "out", RecordConfig(), lambda done, total: seen.append((done, total)))
    assert [drive.folder[-9:] for drive in manifest.drives] == ["0001_sync", "0002_sync"]
    assert seen[0] == (1, 12)
    assert seen[-1] == (12, 12)
    other = make_bag("three", focal=90.0)
    with pytest.raises(CalibrationError, match="another calibration than the bags before it from the same day"):
        record([*bags, other], tmp_path / "bad", RecordConfig())
    assert not (tmp_path / "bad").exists()


def test_distorted_pictures_are_rectified(make_bag, tmp_path):
    distortion, p = (-0.2, 0.05, 0.0, 0.0, 0.0), [[90.0, 0, 15, 0], [0, 91.0, 11, 0], [0, 0, 1, 0]]
    bag = make_bag(distortion=distortion, projection=np.array(p))
    drive = record([bag], tmp_path / "auto", RecordConfig()).drives[0]
    assert drive.camera.rectified
    assert drive.camera.source_distortion == distortion
    recorded = KittiSequence(tmp_path / "auto" / DRIVE)
    # Rectified pictures are cut down to what the lens saw: the principal point moves along, the focal length stays.
    np.testing.assert_array_equal(recorded.K[[0, 1], [0, 1]], [90.0, 91.0])
    assert 15 - recorded.K[0, 2] >= 0
    assert recorded.image(0).shape == (recorded.calibration.height, recorded.calibration.width, 3)
    never = record([bag], tmp_path / "never", RecordConfig(rectify="never")).drives[0]
    assert not never.camera.rectified
    assert never.frames[0].sha256 != drive.frames[0].sha256


def test_output_is_kept_refused_or_taken(make_bag, tmp_path):
    bag, out = make_bag(), tmp_path / "out"
    out.mkdir()
    manifest = record([bag], out, RecordConfig())
    before = content(out)
    assert record([bag], out, RecordConfig(workers=1)) == manifest  # the very same: nothing to do
    with pytest.raises(SequenceError, match="other bags or settings"):
        record([bag], out, RecordConfig(format="jpg"))
    assert content(out) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    with pytest.raises(SequenceError, match="not empty and holds no recording"):
        record([bag], tmp_path / "mine", RecordConfig())
    with pytest.raises(SequenceError, match="is a file"):
        record([bag], tmp_path / "mine" / "letter.txt", RecordConfig())
    (out / "manifest.json").write_text("{}")
    with pytest.raises(SequenceError, match="no manifest of a recording"):
        record([bag], out, RecordConfig())


def test_bad_input_leaves_nothing_behind(tmp_path, bag_maker):
    frames = pictures(30)

    def attempt(error, message, write, **settings):
        name = f"bag{len(list(tmp_path.glob('bag*')))}"
        with bag_maker(tmp_path / name) as bag:
            write(bag)
        with pytest.raises(error, match=message):
            record([tmp_path / name], tmp_path / "deep" / "out", RecordConfig(**settings))
        assert not (tmp_path / "deep").exists()

    def images(bag, encoding="rgb8", **info):
        for index, frame in enumerate(frames):
            bag.image(STAMP + index * STEP, frame, encoding)
            bag.info(STAMP + index * STEP, **({"width": W, "height": H} | info))

    def change(bag, *steps):
        images(bag)
        for step in steps:
            step(bag)

    late = STAMP + 99 * STEP
    attempt(CalibrationError, "uncalibrated", lambda bag: images(bag, focal=0.0))
    attempt(CalibrationError, "image is 32x24, but camera_info describes 64x24", lambda bag: images(bag, width=64))
    attempt(CalibrationError, "no camera_info", lambda bag: bag.image(STAMP, frames[0]))
    attempt(EncodingError, "'wrong' is not supported", lambda bag: images(bag, "wrong"))
    attempt(BagError, "change from 32x24 rgb8 to 32x24 bgr8 at 2011-09-26 12:00:10",
            lambda bag: change(bag, lambda b: b.image(late, frames[0], "bgr8")))  # fmt: skip
    attempt(BagError, "change from 32x24 rgb8 to 16x24 rgb8",
            lambda bag: change(bag, lambda b: b.image(late, frames[0][:, :16])))  # fmt: skip
    attempt(CalibrationError, "changes at 2011-09-26 12:00:10",
            lambda bag: change(bag, lambda b: b.info(late, W, H, focal=99.0)))  # fmt: skip
    attempt(BagError, "no topic '/nope'", images, image_topic="/nope")
    attempt(BagError, "no frame of .* can be used: compressed image",
            lambda bag: (bag.compressed(STAMP, b"rubbish"), bag.info(STAMP, W, H)))  # fmt: skip


def test_a_bag_without_a_readable_message_is_one_line_and_exit_1(make_bag, tmp_path, capfd):
    bag = make_bag()
    data = (bag / "bag.mcap").read_bytes()
    (bag / "bag.mcap").write_bytes(data[:200])
    assert main(["record", str(bag), "--output", str(tmp_path / "out")]) == 1
    errors = capfd.readouterr().err.strip().splitlines()
    assert len(errors) == 1
    assert errors[0].startswith("depth record: bag ")
    assert not (tmp_path / "out").exists()


def run_record(bag, output, **options) -> subprocess.Popen:
    command = [sys.executable, "-m", "depth_node.cli.main", "record", str(bag), "--output", str(output)]
    # Without the measurement of coverage, which writes files as well and may not find room for them.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    options = {"stderr": subprocess.PIPE, "text": True, "env": environment, **options}
    return subprocess.Popen([*command, "--workers", "1"], **options)


def test_a_full_disk_is_one_line(make_bag, tmp_path):
    def limit_files():  # a file-size limit fails writes just as a full disk does
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

    process = run_record(make_bag(), tmp_path / "out", preexec_fn=limit_files)
    errors = process.communicate(timeout=60)[1].strip().splitlines()
    assert process.returncode == 1
    assert len(errors) == 1
    assert "cannot write" in errors[0]
    assert not (tmp_path / "out").exists()


SIGNALLED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so would this one
from rich.progress import Progress
from depth_node.cli.main import main
images, number, *command = sys.argv[1:]
show = Progress.update
def update(bar, task, completed, **more):
    show(bar, task, completed=completed, **more)
    if completed >= int(images):
        os.kill(os.getpid(), int(number))
Progress.update = update
sys.exit(main(command))
"""
"""`depth record` that sends itself a signal after so many images: another process may not get its turn in time."""


def test_an_interrupted_or_killed_recording_goes_on_where_it_stopped(make_bag, tmp_path):
    frames = 60
    bag = make_bag(frames=frames, width=400, height=300)
    pictures = tmp_path / "out/.recording/work/000000/pictures"
    before: dict[str, int] = {}
    for images, number in ((20, signal.SIGINT), (40, signal.SIGKILL)):
        command = ["record", str(bag), "--output", str(tmp_path / "out"), "--workers", "1"]
        signalled = [sys.executable, "-c", SIGNALLED, str(images), str(int(number)), *command]
        process = subprocess.run(signalled, capture_output=True, text=True, timeout=120, check=False)
        assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
        now = {path.name: path.stat().st_mtime_ns for path in pictures.glob("*.png")}
        assert before.items() < now.items()  # none is written a second time
        assert len(now) < frames
        before = now
    assert not (tmp_path / "out" / "manifest.json").exists()
    manifest = record([bag], tmp_path / "out", RecordConfig())
    assert len(manifest.drives[0].frames) == frames
    record([bag], tmp_path / "straight", RecordConfig())
    assert content(tmp_path / "out") == content(tmp_path / "straight")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [DATE, "manifest.json", "splits"]


@pytest.mark.parametrize(
    ("name", "frames", "format"),
    [("kitti_0095_60f_compressed_mcap", 60, "jpg"), ("kitti_0095_10f_raw_sqlite3", 10, "png")],
)
def test_real_bags(shared_data, tmp_path, name, frames, format):
    record([shared_data / "ros2_bags" / name], tmp_path, RecordConfig(format=format))
    kitti = pykitti.raw(str(tmp_path), DATE, "0001", imtype=format)
    assert len(kitti.timestamps) == len(kitti.cam2_files) == frames
    np.testing.assert_allclose(kitti.calib.K_cam2, [[721.5377, 0, 609.5593], [0, 721.5377, 172.854], [0, 0, 1]])
    source = KittiSequence(shared_data / "kitti_0095/2011_09_26/2011_09_26_drive_0095_sync")
    recorded = KittiSequence(tmp_path / DRIVE)
    assert recorded.stamps_ns == source.stamps_ns[:frames]
    if format == "jpg":
        assert recorded.image_path(7).read_bytes() == source.image_path(7).read_bytes()
    assert np.abs(recorded.image(7).astype(int) - source.image(7)).mean() < 5
