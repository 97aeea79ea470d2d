# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Truth of rendered frames: depth, labels, lidar, poses and textures agree with each other."""

import cv2
import numpy as np

from depth_node.config.street import StreetConfig
from depth_node.simulation import labels, rig
from depth_node.simulation.drive import Simulator
from depth_node.simulation.scene import build_street
from depth_node.simulation.street import duration
from depth_node.simulation.traffic import STOP, Traffic


def pixel_rays(K, height, width):
    y, x = np.mgrid[:height, :width].astype(np.float64)
    return np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones_like(x)], axis=-1)


def camera_pose(simulator, frame):
    t = frame.index / simulator.config.rate
    return rig.world_from_base(simulator.street, t) @ rig.base_from_camera(simulator.config)


def test_road_depth_equals_the_analytic_plane(simulator, frames):
    K = rig.intrinsics(simulator.config)
    for frame in frames:
        pose = camera_pose(simulator, frame)
        rays = pixel_rays(K, *frame.picture.depth.shape) @ pose[:3, :3].T
        road = frame.picture.labels == labels.ROAD
        expected = -pose[2, 3] / rays[..., 2][road]
        depth = frame.picture.depth[road]
        near = depth < 80
        assert road.mean() > 0.15
        assert np.abs(depth - expected)[near].max() < 0.01


def test_labels_are_train_ids_and_sky_is_infinitely_far(frames):
    seen = set()
    for frame in frames:
        picture = frame.picture
        seen |= set(np.unique(picture.labels).tolist())
        assert np.array_equal(picture.labels == labels.SKY, np.isinf(picture.depth))
        assert (picture.depth > 0.5).all()
        assert picture.rgb.dtype == np.uint8
        assert picture.depth.dtype == np.float32
    assert seen <= set(range(19))
    assert {
        labels.ROAD,
        labels.SIDEWALK,
        labels.BUILDING,
        labels.POLE,
        labels.VEGETATION,
        labels.SKY,
        labels.CAR,
    } <= seen


def test_street_is_seen_far_ahead(frames):
    for frame in frames:
        finite = frame.picture.depth[np.isfinite(frame.picture.depth)]
        assert finite.max() > 120


def test_lead_car_keeps_its_distance(simulator):
    gaps = []
    for t in np.linspace(0, 3, 31):
        position, _ = simulator.traffic.lead_pose(t)
        ahead = np.linalg.inv(rig.world_from_base(simulator.street, t)) @ [*position, 0.0, 1.0]
        gaps.append(np.linalg.norm(ahead[:2]))
    assert np.ptp(gaps) < 0.05  # the chord of a bend is a little shorter than the way
    assert abs(np.mean(gaps) - simulator.config.lead_gap) < 0.05


def test_lidar_agrees_with_camera_depth(simulator, frames):
    K = rig.intrinsics(simulator.config)
    T_camera_lidar = np.linalg.inv(rig.base_from_camera(simulator.config)) @ rig.base_from_lidar()
    for frame in frames:
        points = np.stack([frame.points[name] for name in "xyz"], axis=-1).astype(np.float64)
        assert len(points) > 5000
        assert (frame.points["intensity"] >= 0).all()
        camera = points @ T_camera_lidar[:3, :3].T + T_camera_lidar[:3, 3]
        camera = camera[camera[:, 2] > 1]
        u, v = (camera[:, k] / camera[:, 2] * K[k, k] + K[k, 2] for k in (0, 1))
        error = interpolation_error(frame.picture.depth, u, v, camera[:, 2])
        assert len(error) > 800
        assert np.mean(error < 0.02) > 0.95


def interpolation_error(depth, u, v, z):
    """Distance between z and the depth image, interpolated as a plane where its neighbourhood is one."""
    height, width = depth.shape
    inverse = 1.0 / depth.astype(np.float64)
    flat = np.zeros(depth.shape, bool)
    bend = np.abs(inverse[1:-1, :-2] - 2 * inverse[1:-1, 1:-1] + inverse[1:-1, 2:])
    bend = np.maximum(bend, np.abs(inverse[:-2, 1:-1] - 2 * inverse[1:-1, 1:-1] + inverse[2:, 1:-1]))
    flat[1:-1, 1:-1] = (bend < 1e-6) & (inverse[1:-1, 1:-1] > 0)
    x, y = np.floor(u).astype(int), np.floor(v).astype(int)
    inside = (x >= 1) & (y >= 1) & (x < width - 2) & (y < height - 2)
    u, v, z, x, y = (a[inside] for a in (u, v, z, x, y))
    good = flat[y, x] & flat[y + 1, x] & flat[y, x + 1] & flat[y + 1, x + 1]
    u, v, z, x, y = (a[good] for a in (u, v, z, x, y))
    a, b = u - x, v - y
    top = inverse[y, x] * (1 - a) + inverse[y, x + 1] * a
    low = inverse[y + 1, x] * (1 - a) + inverse[y + 1, x + 1] * a
    return np.abs(1 / (top * (1 - b) + low * b) - z)


def test_next_frame_warped_by_truth_looks_the_same(simulator, frames):
    """Textures stick to the world: warping with exact depth and pose removes most of the difference."""
    K = rig.intrinsics(simulator.config)
    first, second = frames[0], frames[1]
    T = np.linalg.inv(camera_pose(simulator, second)) @ camera_pose(simulator, first)
    depth = first.picture.depth.astype(np.float64)
    points = pixel_rays(K, *depth.shape) * np.where(np.isfinite(depth), depth, 1)[..., None]
    moved = points @ T[:3, :3].T + T[:3, 3]
    u, v = (moved[..., k] / moved[..., 2] * K[k, k] + K[k, 2] for k in (0, 1))
    warped = cv2.remap(second.picture.rgb, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR)
    inside = (u > 0) & (v > 0) & (u < depth.shape[1] - 1) & (v < depth.shape[0] - 1) & np.isfinite(depth)
    still = inside & ~np.isin(first.picture.labels, (labels.CAR, labels.PERSON)) & (depth < 40)
    target = first.picture.rgb.astype(float)
    after = np.abs(warped - target)[still].mean()
    before = np.abs(second.picture.rgb - target)[still].mean()
    assert after < 0.45 * before


def test_same_seed_gives_the_same_bytes_and_another_seed_another_street(simulator, frames):
    from dataclasses import replace

    again = Simulator(simulator.config).frame(2)
    assert np.array_equal(again.picture.rgb, frames[2].picture.rgb)
    assert np.array_equal(again.picture.depth, frames[2].picture.depth)
    assert again.points.tobytes() == frames[2].points.tobytes()
    other = Simulator(replace(simulator.config, seed=4, lidar=False)).frame(2)
    assert other.points is None
    assert not np.array_equal(other.picture.depth, frames[2].picture.depth)


def test_a_queue_stands_on_the_road_and_ahead_of_the_end():
    config = StreetConfig(seed=5, frames=20, queue=1.0, traffic=0.0, pedestrians=0.0, lead_car=False, parked=0.0)
    street = build_street(config)
    end = street.motion.way(duration(config))
    cars = [mover for mover in Traffic(config, street)._movers if len(mover.poses) == 1]
    assert cars
    assert all(mover.speed == 0 for mover in cars)
    own_lane = -street.profile.lane_width * (street.profile.lanes - 0.5)
    ahead = [mover.start - end for mover in cars if abs(mover.offset - own_lane) < 0.5]
    assert min(ahead) >= STOP
    assert any(mover.start < end for mover in cars)  # the lanes beside are full all along


def test_a_picture_of_nothing_but_road_or_sky(simulator):
    pose = rig.world_from_base(simulator.street, 0.0) @ rig.base_from_camera(simulator.config)
    for pitch, label in ((-np.pi / 2, labels.ROAD), (np.pi / 2, labels.SKY)):
        c, s = np.cos(pitch), np.sin(pitch)
        turned = pose.copy()
        turned[:3, :3] = pose[:3, :3] @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
        turned[2, 3] = 8.0 if label == labels.SKY else 1.0  # above the car's own lane, under no tree
        seen = simulator.camera.take(turned)
        assert (seen.labels == label).mean() > 0.9
        assert (seen.labels == labels.SKY).any() == (label == labels.SKY)
