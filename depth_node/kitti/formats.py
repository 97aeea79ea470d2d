# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""KITTI's binary and numeric files: 16-bit depth PNG, lidar scan, oxts line."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.errors import SequenceError
from depth_node.image_file import write_image

DEPTH_UNIT = 256.0
"""Steps per metre in a depth PNG; 0 is 'no measurement'."""


class OxtsPacket(NamedTuple):
    """Position and motion of one frame, in the order of KITTI's 30 numbers.

    Degrees for latitude and longitude, metres, radians (roll 0 level, pitch positive nose down, yaw 0 east and
    counter-clockwise), m/s (north, east; forward, left, up), m/s^2, rad/s; five integers at the end.
    """

    lat: float = 0.0
    lon: float = 0.0
    alt: float = 0.0
    roll: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0
    vn: float = 0.0
    ve: float = 0.0
    vf: float = 0.0
    vl: float = 0.0
    vu: float = 0.0
    ax: float = 0.0
    ay: float = 0.0
    az: float = 0.0
    af: float = 0.0
    al: float = 0.0
    au: float = 0.0
    wx: float = 0.0
    wy: float = 0.0
    wz: float = 0.0
    wf: float = 0.0
    wl: float = 0.0
    wu: float = 0.0
    pos_accuracy: float = 0.0
    vel_accuracy: float = 0.0
    navstat: int = 0
    numsats: int = 0
    posmode: int = 0
    velmode: int = 0
    orimode: int = 0


def read_depth(path: Path) -> NDArray[np.float32]:
    """Read a depth PNG: (H, W) float32 metres along z, NaN where nothing was measured. Raises SequenceError."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SequenceError(f"cannot read depth {path}: {error.strerror}") from None
    raw = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if raw is None:
        raise SequenceError(f"{path} is damaged: copy it again")
    if raw.ndim != 2 or raw.dtype != np.uint16:
        raise SequenceError(f"{path} is no 16-bit grey PNG: KITTI depth is stored as metres * 256")
    depth = raw.astype(np.float32) / np.float32(DEPTH_UNIT)
    depth[raw == 0] = np.nan
    return depth


def write_depth(path: Path, depth: NDArray[np.floating]) -> None:
    """Write (H, W) metres as a depth PNG, to 1/512 m; NaN, infinite, negative and beyond 255.99 m become 0."""
    steps = np.nan_to_num(np.rint(np.asarray(depth, np.float64) * DEPTH_UNIT), nan=0.0, posinf=0.0, neginf=0.0)
    steps[(steps < 0) | (steps > np.iinfo(np.uint16).max)] = 0
    write_image(path, steps.astype(np.uint16))


def read_velodyne(path: Path) -> NDArray[np.float32]:
    """Read a lidar scan: (N, 4) float32 x forward, y left, z up (m), reflectance. Raises SequenceError."""
    try:
        values = np.fromfile(path, "<f4")
    except OSError as error:
        raise SequenceError(f"cannot read lidar scan {path}: {error.strerror}") from None
    if values.size % 4 or path.stat().st_size % 4:
        raise SequenceError(f"lidar scan {path} is cut off: its size is no multiple of 16 bytes")
    return values.reshape(-1, 4)


def write_velodyne(path: Path, points: NDArray[np.floating]) -> None:
    """Write (N, 4) points as a lidar scan."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(np.ascontiguousarray(points, "<f4").tobytes())


def read_oxts(path: Path) -> OxtsPacket:
    """Read one oxts line; raises SequenceError."""
    try:
        values = [float(value) for value in path.read_text(encoding="ascii").split()]
    except OSError as error:
        raise SequenceError(f"cannot read oxts {path}: {error.strerror}") from None
    except ValueError:
        raise SequenceError(f"oxts {path} holds something that is no number") from None
    if len(values) != len(OxtsPacket._fields):
        raise SequenceError(f"oxts {path} holds {len(values)} numbers instead of {len(OxtsPacket._fields)}")
    flags = [int(value) for value in values[-5:]]
    return OxtsPacket._make([*values[:-5], *flags])


def write_oxts(path: Path, packet: OxtsPacket) -> None:
    """Write one oxts line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(" ".join(f"{value:.15g}" for value in packet) + "\n", encoding="ascii")
