# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Scale from odometry: how far the vehicle went between two pictures makes their corners' depth metric.

A pose network would give a distance too, but not every checkpoint has one (files for the live node have none, published
weights often), and it knows no other camera than its own. Two pictures with a known way between them give the depth of
every corner by triangulation, whatever the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.scale.corners import follow_corners
from depth_node.scale.depth_frame import DepthFrame, Matrix, NoReading, Reading
from depth_node.scale.weighted_median import weighted_median

LEAST_WAY = 0.15
"""Metres; a shorter way says nothing."""
LONGEST_WAY = 20.0
"""Metres between two pictures; odometry that says more has jumped."""
LEAST_PARALLAX = 3.0
"""Pixels; corners that move less by the way driven say little about their depth."""
LEAST_CORNERS = 20
LARGEST_RESIDUAL = 1.5
"""Pixels beside where odometry lets corners go, in the median: with more, the two do not belong together."""
ROUNDS = 5


@dataclass(frozen=True)
class _Tracks:
    """Corners of two pictures as rays (N, 3) of length 1 along the axis, and the focal length in pixels."""

    first: Matrix
    second: Matrix
    focal: float


def scale_of_way(first: DepthFrame, second: DepthFrame, T_second_first: Matrix) -> Reading:
    """Weighted median ratio of triangulated to predicted depth of the corners of the first picture.

    Odometry gives direction and length of the way; the rotation is refined on the corners, as a tenth of a degree,
    which odometry or extrinsics are easily off by, moves a corner as much as a car's way moves something far.

    Args:
        first: the earlier prediction.
        second: the later one.
        T_second_first: (4, 4) motion of the camera by odometry, metres.

    Raises:
        NoReading: the way is too short or impossible, or the corners do not tell.
    """
    way = float(np.linalg.norm(T_second_first[:3, 3]))
    if not np.isfinite(T_second_first).all() or way > LONGEST_WAY:
        raise NoReading(f"odometry jumps by {way:.1f} m from one picture to the next")
    if way < LEAST_WAY:
        raise NoReading("the vehicle stands still: odometry says nothing about scale", is_waiting=True)
    mask = None if first.moving is None else ~first.moving
    before, after = follow_corners(first.gray, second.gray, mask)
    predicted = first.at(before)
    known = np.isfinite(predicted)
    before, after, predicted = before[known], after[known], predicted[known]
    if len(before) < LEAST_CORNERS:
        raise NoReading(f"{len(before)} corners could be followed, {LEAST_CORNERS} are needed")
    tracks = _Tracks(first.rays(before), second.rays(after), float(np.sqrt(first.K[0, 0] * first.K[1, 1])))
    R, t = refine_rotation(tracks, T_second_first), T_second_first[:3, 3]
    residual = float(np.median(np.abs(_beside(tracks, R, t)))) * tracks.focal
    if residual > LARGEST_RESIDUAL:
        raise NoReading(f"pictures and odometry disagree by {residual:.1f} pixels: check clocks and extrinsics")
    depth, parallax = triangulate(tracks, R, t)
    good = (parallax > LEAST_PARALLAX) & (depth > 0)
    if good.sum() < LEAST_CORNERS:
        raise NoReading(f"{int(good.sum())} corners moved by more than {LEAST_PARALLAX:g} pixels", is_waiting=True)
    # Near corners count more: they are triangulated better, and fill more of the picture than their number.
    ratios = np.log(depth[good] / predicted[good])
    return Reading(weighted_median(ratios, parallax[good]), int(good.sum()))


def triangulate(tracks: _Tracks, R: Matrix, t: Matrix) -> tuple[Matrix, Matrix]:
    """Depth of corners in the first picture, (N,) metres, and the pixels that the way alone moved them by, (N,)."""
    turned = tracks.first @ R.T
    x, y = tracks.second[:, 0], tracks.second[:, 1]
    # The second ray holds R r z + t: two equations a_i + b_i / z = 0 in inverse depth.
    a = np.stack([turned[:, 0] - x * turned[:, 2], turned[:, 1] - y * turned[:, 2]])
    b = np.stack([t[0] - x * t[2], t[1] - y * t[2]])
    inverse = -(a * b).sum(axis=0) / np.maximum((b * b).sum(axis=0), 1e-12)
    with np.errstate(divide="ignore"):
        depth = np.where(inverse > 0, 1.0 / inverse, -1.0)
    return depth, np.linalg.norm(b, axis=0) * np.abs(inverse) * tracks.focal


def refine_rotation(tracks: _Tracks, T_second_first: Matrix) -> Matrix:
    """The (3, 3) rotation near odometry's with which corners lie nearest to where the way lets them go.

    Gauss-Newton on the distances beside the epipolar lines, least absolute ones by weights, so that moving cars do
    not pull.
    """
    R, t = T_second_first[:3, :3].copy(), T_second_first[:3, 3]
    for _ in range(ROUNDS):
        beside = _beside(tracks, R, t)
        jacobian = np.empty((len(beside), 3))
        for axis in range(3):
            small = np.zeros(3)
            small[axis] = 1e-5
            jacobian[:, axis] = (_beside(tracks, _turn(small) @ R, t) - beside) / 1e-5
        weights = 1.0 / np.maximum(np.abs(beside), 0.3 / tracks.focal)
        normal = (jacobian * weights[:, None]).T @ jacobian + 1e-9 * np.eye(3)
        R = _turn(-np.linalg.solve(normal, (jacobian * weights[:, None]).T @ beside)) @ R
    return R


def _beside(tracks: _Tracks, R: Matrix, t: Matrix) -> Matrix:
    """(N,) signed distances of the second corners from their epipolar lines, at depth 1."""
    lines = np.cross(t, tracks.first @ R.T)
    return np.asarray((lines * tracks.second).sum(axis=1) / np.maximum(np.linalg.norm(lines[:, :2], axis=1), 1e-9))


def _turn(vector: NDArray[np.floating]) -> Matrix:
    """(3, 3) rotation by a vector, radians."""
    return np.asarray(cv2.Rodrigues(np.asarray(vector, np.float64))[0], np.float64)
