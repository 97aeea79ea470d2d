# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Videos read as bags with one camera: every frame, its time, its upright picture; and what is left of damaged ones."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from depth_node.bags.message_types import IMAGE
from depth_node.bags.opening import open_bag
from depth_node.bags.reader import BagImage, DamagedBagError
from depth_node.bags.topics import choose_camera_info_topic, choose_image_topic
from depth_node.bags.video_file import VIDEO_TOPIC, VideoFile
from depth_node.config.video import VideoConfig
from depth_node.errors import BagError, CalibrationError

WIDTH, HEIGHT, FRAMES, FPS = 96, 64, 20, 12.5
START = VideoConfig(start="2026-05-01T12:00:00")


def brightness(number: int) -> int:
    return 20 + 10 * number


@pytest.fixture
def make_video(tmp_path):
    """A function that writes a video whose brightness counts its frames; the left third stays dark."""

    def make(name="drive.mp4", codec="mp4v", frames=FRAMES, width=WIDTH, height=HEIGHT):
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), FPS, (width, height))
        assert writer.isOpened()
        for number in range(frames):
            picture = np.full((height, width, 3), brightness(number), np.uint8)
            picture[:, : width // 3] = 0
            writer.write(picture)
        writer.release()
        return path

    return make


def box(data: bytes, kind: bytes) -> int:
    """Where an mp4's box begins."""
    return data.rindex(kind) - 4


def turned(data: bytes) -> bytes:
    """The same mp4 with the note that people should see it turned clockwise by 90 degrees, as phones write it."""
    at = box(data, b"tkhd") + 48
    matrix = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    return data[:at] + matrix + data[at + 36 :]


def uneven(data: bytes, first: int) -> bytes:
    """The same mp4, of which the first frames are shown as usual and the later ones twice as long."""
    at = box(data, b"stts")
    count, step = struct.unpack(">II", data[at + 16 : at + 24])
    entries = struct.pack(">IIIII", 2, first, step, count - first, 2 * step)
    changed = bytearray(data[: at + 12] + entries + data[at + 24 :])
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"):
        place = box(data, kind)
        changed[place : place + 4] = struct.pack(">I", struct.unpack(">I", data[place : place + 4])[0] + 8)
    # The length of the whole is told there, too.
    return bytes(changed).replace(b"edts", b"free")


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "mp4v"), ("a.avi", "MJPG"), ("a.AVI", "XVID"), ("a.mov", "mp4v")]
)
def test_every_frame_and_its_time(make_video, name, codec):
    with open_bag(make_video(name, codec), config=START) as bag:
        assert choose_image_topic(bag) == VIDEO_TOPIC
        (topic,) = bag.topics
        assert (topic.type, topic.count) == (IMAGE, FRAMES)
        for _ in range(2):  # a bag can be read again
            images = list(bag.images(VIDEO_TOPIC))
            assert len(images) == FRAMES
            assert bag.loss is None
        start = 1_777_636_800_000_000_000
        assert [image.stamp_ns - start for image in images] == [80_000_000 * number for number in range(FRAMES)]
        assert bag.time_range_ns == (images[0].time_ns, images[-1].time_ns)
        shades = [image.rgb[HEIGHT // 2, WIDTH // 2].mean() for image in images]
        np.testing.assert_allclose(shades, [brightness(number) for number in range(FRAMES)], atol=6)


def test_colours_are_not_swapped(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 32))
    writer.write(np.full((32, 32, 3), (250, 20, 20), np.uint8))  # blue
    writer.release()
    with open_bag(tmp_path / "a.avi") as bag:
        red, _, blue = next(bag.images(VIDEO_TOPIC)).rgb[16, 16].astype(int)
    assert blue > red + 100


def test_a_phones_video_comes_upright(make_video):
    path = make_video()
    path.write_bytes(turned(path.read_bytes()))
    with VideoFile(path) as video:
        assert (video.width, video.height) == (HEIGHT, WIDTH)
        _, picture = list(video.read())[-1]
    assert picture.shape == (WIDTH, HEIGHT, 3)
    assert picture[: WIDTH // 3 - 4].max() < 40 < picture[WIDTH // 3 + 4 :].min()  # left became up


def test_frames_of_uneven_times_keep_them(make_video):
    path = make_video()
    path.write_bytes(uneven(path.read_bytes(), first=5))
    with VideoFile(path) as video:
        times = [seconds for seconds, _ in video.read()]
    np.testing.assert_allclose(np.diff(times), [0.08] * 5 + [0.16] * (FRAMES - 6), atol=1e-3)


def test_a_cut_video_gives_what_can_be_read(make_video):
    path = make_video("a.avi", "MJPG")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with open_bag(path) as bag:
        count = len(list(bag.images(VIDEO_TOPIC)))
        assert 0 < count < FRAMES - 2
        assert bag.loss.messages == FRAMES - count
        assert f"{count} of {FRAMES} frames can be read" in bag.loss.note
        assert bag.topics[0].count == count


def test_what_is_no_video_is_one_line(make_video, tmp_path):
    cut = make_video()
    cut.write_bytes(cut.read_bytes()[:600])
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.avi").write_text("no video")
    for path in (cut, tmp_path / "empty.mp4", tmp_path / "text.avi"):
        with pytest.raises(DamagedBagError, match="has no frame that can be read") as failure, open_bag(path):
            pass
        assert "\n" not in str(failure.value)
    with pytest.raises(BagError, match="does not exist"), open_bag(tmp_path / "none.mp4"):
        pass


def test_the_ways_to_its_camera_are_named(make_video):
    with open_bag(make_video()) as bag:
        with pytest.raises(CalibrationError, match=r"video .*--calibration FILE or --fov DEGREES.*--learn_intrinsics"):
            choose_camera_info_topic(bag, VIDEO_TOPIC)
        with pytest.raises(BagError, match="no topic '/camera'"):
            list(bag.messages("/camera"))


def test_sampled_frames_are_from_all_over(make_video):
    with VideoFile(make_video()) as video:
        shades = [picture[HEIGHT // 2, WIDTH // 2].mean() for picture in video.sampled(4)]
    np.testing.assert_allclose(shades, [brightness(number) for number in (0, 5, 10, 15)], atol=6)


def test_a_message_is_a_picture_like_any_other(make_video):
    with open_bag(make_video()) as bag:
        message = next(bag.messages([VIDEO_TOPIC]))
    image = BagImage.of(message)
    np.testing.assert_array_equal(image.rgb, image.bgr[..., ::-1])
    assert (image.frame_id, image.stamp_ns) == ("camera", 1_000_000_000)
