# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Sources fed as a node feeds them: stamps, mounts, clocks; and the estimator that runs them."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from depth_node.errors import BagError
from depth_node.scale.depth_frame import NoReading
from depth_node.scale.scale_estimator import FRAME_PERIOD, ScaleEstimator
from depth_node.scale.sources import CloudSource, HeightSource, OdometrySource, RangeSource

UNIT = 12.0
PERIOD_NS = 100_000_000
OPTICAL = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]])
"""T_base_camera: 1.5 m above the base, looking ahead."""


def mount(target, source):
    known = {("camera", "base_link"): np.linalg.inv(OPTICAL), ("base_footprint", "camera"): OPTICAL}
    known |= {("camera", "lidar"): np.eye(4)}
    if (target, source) not in known:
        raise NoReading(f"nothing says where '{source}' sits on '{target}'")
    return known[target, source]


def drive(world, count=30, step=0.5):
    return [world.frame(step * number, stamp_ns=(1 + number) * PERIOD_NS) for number in range(count)]


def cloud_of(frame):
    y, x = np.mgrid[: frame.size[0] : 3, : frame.size[1] : 3]
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    return frame.rays(pixels) * (UNIT * frame.at(pixels))[:, None]


def odometry(ahead, child="base_link"):
    position = SimpleNamespace(x=ahead, y=0.0, z=0.0)
    pose = SimpleNamespace(position=position, orientation=SimpleNamespace(x=0.0, y=0.0, z=0.0, w=1.0))
    return SimpleNamespace(child_frame_id=child, pose=SimpleNamespace(pose=pose))


def estimate(frames, sources, feed):
    estimator = ScaleEstimator(sources, 99.0, "checkpoint")
    for frame in frames:
        feed(frame)
        estimator.observe(frame, frame.stamp_ns * 1e-9)
        state = estimator.state(frame.stamp_ns * 1e-9)
    return state


def test_a_lidar(world):
    source = CloudSource(mount, "lidar", 50)
    state = estimate(
        drive(world), {"lidar": source}, lambda f: source.add(f.stamp_ns + 20_000_000, "lidar", lambda: cloud_of(f))
    )
    assert (state.source, state.scale) == ("lidar", pytest.approx(UNIT, rel=0.02))


def test_a_lidar_that_comes_after_its_picture(world):
    source, late = CloudSource(mount, "lidar", 50), []

    def feed(frame):
        late.append(frame)
        if len(late) > 2:
            old = late[-3]
            source.add(old.stamp_ns, "lidar", lambda: cloud_of(old))

    assert estimate(drive(world), {"lidar": source}, feed).scale == pytest.approx(UNIT, rel=0.02)


@pytest.mark.parametrize(
    ("frame_id", "offset_s", "reason"),
    [
        ("lidar", 37.0, "stamped 37.0 s away from the pictures"),
        ("lidar", -37.0, "let both use the same clock"),
        ("elsewhere", 0.0, "nothing says where 'elsewhere' sits"),
    ],
)
def test_a_lidar_that_cannot_be_used_says_why(world, frame_id, offset_s, reason):
    source = CloudSource(mount, "lidar", 50)
    offset = round(offset_s * 1e9)
    state = estimate(
        drive(world, 8),
        {"lidar": source},
        lambda f: source.add(f.stamp_ns + offset, frame_id, lambda: cloud_of(f)),
    )
    assert (state.scale, state.is_measured) == (99.0, False)
    assert reason in state.troubles["lidar"]


def test_a_broken_cloud_is_a_reason(world):
    def broken():
        raise BagError("point cloud does not fit its header")

    source = CloudSource(mount, "lidar", 50)
    state = estimate(drive(world, 8), {"lidar": source}, lambda f: source.add(f.stamp_ns, "lidar", broken))
    assert "does not fit" in state.troubles["lidar"]


def test_odometry(world):
    source, where = OdometrySource(mount), iter(range(1000))

    def feed(frame):
        ahead = 0.5 * next(where)
        source.add(frame.stamp_ns, odometry(ahead))
        source.add(frame.stamp_ns + PERIOD_NS // 2, odometry(ahead + 0.25))

    assert estimate(drive(world), {"odometry": source}, feed).scale == pytest.approx(UNIT, rel=0.03)


def test_odometry_of_a_parked_car_waits(world):
    source = OdometrySource(mount)
    state = estimate(drive(world, 8, step=0.0), {"odometry": source}, lambda f: source.add(f.stamp_ns, odometry(0.0)))
    assert "stands still" in state.reasons["odometry"]
    assert state.troubles == {}


def test_odometry_goes_on_after_a_bag_has_started_anew(world):
    source = OdometrySource(mount)
    for ahead in range(5):
        source.add((100 + ahead) * 10**9, odometry(float(ahead)))
    where = iter(range(1000))
    state = estimate(drive(world), {"odometry": source}, lambda f: source.add(f.stamp_ns, odometry(0.5 * next(where))))
    assert state.scale == pytest.approx(UNIT, rel=0.03)


@pytest.mark.parametrize("height", [1.5, 0.0])
def test_a_height_given_or_from_transforms(world, height):
    source = HeightSource(mount, height, "base_footprint")
    state = estimate(drive(world), {"camera_height": source}, lambda _: None)
    assert state.scale == pytest.approx(UNIT, rel=0.04)


@pytest.mark.parametrize(("frame", "reason"), [("nowhere", "nothing says"), ("below", "lies 2.00 m below")])
def test_a_height_that_cannot_be_found_says_why(world, frame, reason):
    under = OPTICAL.copy()
    under[2, 3] = -2.0
    source = HeightSource(lambda a, b: under if a == "below" else mount(a, b), 0.0, frame)
    state = estimate(drive(world, 6), {"camera_height": source}, lambda _: None)
    assert reason in state.troubles["camera_height"]


def test_a_range_finder(world):
    looking = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    source, frames = RangeSource(lambda *_: looking, lambda: 20.0), drive(world)
    ends = {frame.stamp_ns: 60.0 - 0.5 * number for number, frame in enumerate(frames)}
    state = estimate(
        frames, {"range": source}, lambda f: source.add(f.stamp_ns, "sonar", ends[f.stamp_ns], 0.02, False)
    )
    assert state.scale == pytest.approx(UNIT, rel=0.05)


def test_pictures_are_kept_no_oftener_than_needed(world):
    estimator = ScaleEstimator({"camera_height": HeightSource(mount, 1.5, "")}, 1.0, "checkpoint")
    estimator.observe(world.frame(stamp_ns=10**9), 0.0)
    assert not estimator.wants(10**9 + round(FRAME_PERIOD * 0.5e9))
    assert estimator.wants(10**9 + round(FRAME_PERIOD * 1.01e9))
    assert estimator.wants(5 * 10**8)
    assert not ScaleEstimator({}, 1.0, "checkpoint").wants(0)


def test_the_guess_may_change_before_anything_is_measured():
    estimator = ScaleEstimator({}, 2.0, "checkpoint")
    estimator.set_fallback(3.0, "fixed")
    state = estimator.state(0.0)
    assert (state.scale, state.source) == (3.0, "fixed")
    assert math.isnan(state.spread)
