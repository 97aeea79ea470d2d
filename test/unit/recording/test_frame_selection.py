# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which frames stay: every reason to drop one, with and without odometry."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from depth_node.camera.calibration import CameraCalibration
from depth_node.config.record import RecordConfig
from depth_node.recording.frame_selection import REASONS, Selector
from depth_node.recording.image_motion import shrink
from depth_node.recording.picture_quality import measure_quality
from depth_node.recording.timeline import SECOND, TimedImage
from depth_node.sensing.odometry_track import OdometryTrack

WIDTH, HEIGHT = 640, 360
K = np.array([[400.0, 0, WIDTH / 2], [0, 400.0, HEIGHT / 2], [0, 0, 1]])
CAMERA = CameraCalibration(
    WIDTH, HEIGHT, "plumb_bob", (), tuple(K.ravel()), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0), (0.0,) * 12
)
START = 1_700_000_000 * SECOND


def wall() -> np.ndarray:
    random = np.random.default_rng(0)
    layers = [
        cv2.resize(random.uniform(0, 255, (n, n, 3)).astype(np.float32), (1400, 1400), interpolation=cv2.INTER_CUBIC)
        for n in (20, 60, 180, 600, 1400)
    ]
    return np.clip(np.mean(layers, axis=0) * 2 - 128, 0, 255).astype(np.uint8)


WALL = wall()


def look(scale: float = 1.0, degrees: float = 0.0) -> np.ndarray:
    """The wall from nearer by, turned about the vertical axis."""
    turn = K @ cv2.Rodrigues(np.array([0, np.radians(degrees), 0]))[0] @ np.linalg.inv(K)
    middle = np.array([[scale, 0, WIDTH / 2 - 700 * scale], [0, scale, HEIGHT / 2 - 700 * scale], [0, 0, 1.0]])
    return cv2.warpPerspective(WALL, turn @ middle, (WIDTH, HEIGHT))


class Camera:
    """Feeds a selector with pictures ten times a second."""

    def __init__(self, track=None, **settings) -> None:
        self.selector = Selector(RecordConfig(**settings), [CAMERA], track)
        self.number = -1

    def __call__(self, picture, begins: str = "", wait: int = 1):
        self.number += wait
        stamp = START + self.number * SECOND // 10
        frame = TimedImage(self.number, stamp, None, begins or ("start" if self.number == 0 else ""))
        return self.selector.decide(frame, shrink(picture), measure_quality(picture))


def noisy(picture, seed: int) -> np.ndarray:
    return np.clip(picture + np.random.default_rng(seed).normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


def test_driving_keeps_everything():
    camera = Camera()
    decisions = [camera(look(1.03**index)) for index in range(20)]
    assert [decision.category for decision in decisions] == [""] * 20
    assert [decision.begins for decision in decisions] == ["start"] + [""] * 19
    assert decisions[0].measures.parallax is None
    measured = [index for index, decision in enumerate(decisions) if decision.measures.parallax is not None]
    assert measured[:4] == [1, 5, 9, 13]  # fast enough not to look at every frame
    assert decisions[5].measures.parallax > 0.0025 * WIDTH


def test_a_stop_is_dropped_and_a_short_one_does_not_end_the_drive():
    camera = Camera()
    for index in range(5):
        camera(noisy(look(1.03**index), index))
    stop = [camera(noisy(look(1.03**4), index)) for index in range(30)]
    assert {decision.category for decision in stop} == {"static"}
    assert "stands still: 0." in stop[0].reason
    assert camera(noisy(look(1.03**5), 0)).begins == ""
    for index in range(60):
        camera(noisy(look(1.03**5), index))
    assert camera(noisy(look(1.03**6), 0)).begins.startswith("the camera stood still for 6.1 s")


def test_creeping_keeps_a_frame_whenever_it_has_gone_far_enough():
    camera = Camera()
    decisions = [camera(look(1.001**index)) for index in range(60)]
    kept = [index for index, decision in enumerate(decisions) if not decision.category]
    assert 3 <= len(kept) <= 20
    assert {decision.category for decision in decisions} <= {"", "static", "little parallax"}
    for index in kept[1:]:
        assert 0.0025 * WIDTH <= decisions[index].measures.parallax < 0.005 * WIDTH


def test_turning_on_the_spot_is_dropped_and_ends_the_drive():
    camera = Camera()
    for index in range(5):
        camera(look(1.02**index))
    spin = [camera(look(1.02**4, 2.0 * index)) for index in range(1, 9)]
    assert {decision.category for decision in spin} == {"rotation"}
    assert spin[0].measures.rotation == pytest.approx(2.0, rel=0.1)
    assert camera(look(1.02**6, 16.0)).begins.startswith("the camera turned by 12 degrees on the spot")


def test_blur_exposure_and_duplicates():
    camera = Camera()
    for index in range(10):
        camera(look(1.03**index))
    picture = look(1.03**10)
    assert camera(cv2.blur(picture, (11, 1))).category == "blurred"
    assert camera(picture // 40).category == "dark"
    assert camera(np.where(picture > 70, 255, picture).astype(np.uint8)).category == "bright"
    assert camera(picture).category == ""
    assert camera(picture).category == "duplicate"


def test_a_whole_blurred_run_becomes_the_usual():
    camera = Camera()
    for index in range(10):
        camera(look(1.03**index))
    categories = [camera(cv2.blur(look(1.03 ** (10 + index)), (5, 5))).category for index in range(30)]
    assert categories[0] == "blurred"
    assert categories[-1] == ""


def test_a_long_time_without_a_usable_frame_ends_the_drive():
    camera = Camera()
    for index in range(8):
        camera(look(1.03**index))
    for index in range(8):
        assert camera(cv2.blur(look(1.03 ** (8 + index)), (15, 15))).category == "blurred"
    assert camera(look(1.03**16)).begins == "0.9 s without a usable frame"


def test_what_cannot_be_measured_stays():
    camera = Camera()
    flat = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    decisions = [camera(flat + np.uint8(index)) for index in range(5)]
    assert [decision.category for decision in decisions] == [""] * 5
    assert decisions[3].measures.parallax is None


def test_all_keeps_all_but_measures():
    camera = Camera(select="all")
    decisions = [camera(look()) for _ in range(4)]
    assert [decision.category for decision in decisions] == [""] * 4
    assert decisions[1].measures.parallax < 0.1


def odometry(x: float, degrees: float):
    half = np.radians(degrees) / 2
    position = SimpleNamespace(x=x, y=0.0, z=0.0)
    orientation = SimpleNamespace(x=0.0, y=0.0, z=np.sin(half), w=np.cos(half))
    return SimpleNamespace(pose=SimpleNamespace(pose=SimpleNamespace(position=position, orientation=orientation)))


def test_odometry_knows_a_stop_from_moving_traffic():
    track = OdometryTrack()
    for index in range(30):
        track.add(odometry(0.5 * min(index, 5), 2.0 * max(index - 20, 0)), START + index * SECOND // 10)
    camera = Camera(track)
    drive = [camera(look(1.03**index)) for index in range(6)]
    assert [decision.category for decision in drive] == [""] * 6
    assert drive[1].measures.distance == pytest.approx(0.5)
    # A lorry ahead fills the picture and drives away: to the picture alone this is motion.
    stop = [camera(look(1.03 ** (5 - 0.5 * index))) for index in range(1, 11)]
    assert {decision.category for decision in stop} == {"static"}
    assert "by odometry" in stop[0].reason
    spin = [camera(look(1.03, 2.0 * index), wait=6 if index == 1 else 1) for index in range(1, 4)]
    assert {decision.category for decision in spin} == {"rotation"}


def test_the_track_interpolates_and_knows_its_ends():
    track = OdometryTrack()
    track.add(odometry(1.0, 10.0), 100)
    track.add(odometry(9.0, 0.0), 50)  # out of order
    track.add(odometry(3.0, 20.0), 200)
    distance, angle = track.between(100, 150)
    assert (distance, angle) == (pytest.approx(1.0), pytest.approx(5.0, abs=1e-6))
    assert track.between(99, 150) is None
    assert track.between(100, 201) is None
    assert track.between(100, 200)[1] == pytest.approx(10.0, abs=1e-6)


def test_every_category_is_explained():
    assert set(REASONS) >= {"static", "rotation", "little parallax", "blurred", "dark", "bright", "duplicate"}
