# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a configuration to a folder with a bag and its ground truth; the folder appears only when complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from depth_node.config.setting import values
from depth_node.config.street import StreetConfig
from depth_node.errors import SimulationError
from depth_node.simulation import ground_truth, labels, rig
from depth_node.simulation.bag import BagWriter
from depth_node.simulation.drive import render, stamp_ns
from depth_node.simulation.street import Street, build_paths

ODOMETRY_PER_FRAME = 5


def simulate(config: StreetConfig, output: Path, progress: Callable[[int], None] | None = None) -> Path:
    """Render a drive into `output`/bag and `output`/ground_truth.

    Args:
        config: the drive.
        output: folder to make; must not exist, or be empty.
        progress: called after each frame with the number of frames done.

    Returns:
        The bag's folder.

    Raises:
        SimulationError: the output exists or cannot be written.
    """
    output = Path(output)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise SimulationError(f"output '{output}' exists and is not empty: choose another --output or remove it")
    partial = output.with_name(f".{output.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        _write(config, partial, progress)
        if output.exists():
            output.rmdir()
        os.replace(partial, output)
    except OSError as error:
        raise SimulationError(f"cannot write '{output}': {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return output / "bag"


def _write(config: StreetConfig, folder: Path, progress: Callable[[int], None] | None) -> None:
    truth, paths = folder / "ground_truth", build_paths(config)
    with BagWriter(folder / "bag", config) as bag:
        mounts = [(rig.CAMERA, rig.base_from_camera(config)), (rig.INS, np.eye(4))]
        if config.lidar:
            mounts.append((rig.LIDAR, rig.base_from_lidar()))
        bag.write_mounting(stamp_ns(config, 0), mounts)
        for frame in render(config, truth):
            bag.write_frame(frame)
            _write_motion(bag, config, paths, frame.index)
            if progress is not None:
                progress(frame.index + 1)
    _write_truth(config, paths, truth)


def _write_motion(bag: BagWriter, config: StreetConfig, paths: Street, index: int) -> None:
    """A fix at one frame; odometry and inertial numbers there and at the instants up to the next one."""
    steps = ODOMETRY_PER_FRAME if index + 1 < config.frames else 1
    for step in range(steps):
        moment = index + step / ODOMETRY_PER_FRAME
        t, stamp = moment / config.rate, stamp_ns(config, moment)
        pose, (linear, angular) = rig.world_from_base(paths, t), rig.twist(paths, t)
        if step == 0:
            bag.write_fix(stamp, pose[:3, 3])
        bag.write_odometry(stamp, pose, linear, angular)
        bag.write_inertial(stamp, pose[:3, :3], angular, rig.force(paths, t))


def _write_truth(config: StreetConfig, paths: Street, truth: Path) -> None:
    mount = rig.base_from_camera(config)
    poses = [rig.world_from_base(paths, k / config.rate) @ mount for k in range(config.frames)]
    first = np.linalg.inv(poses[0])
    ground_truth.write_poses(truth / ground_truth.POSES, [first @ pose for pose in poses])
    stamps = "\n".join(str(stamp_ns(config, k)) for k in range(config.frames))
    ground_truth.write_text(truth / ground_truth.TIMES, stamps + "\n")
    calibration = {
        "width": config.width,
        "height": config.height,
        "K": rig.intrinsics(config).tolist(),
        "T_world_camera_first": poses[0].tolist(),
        "T_base_camera": mount.tolist(),
        "T_base_lidar": rig.base_from_lidar().tolist(),
        "classes": list(labels.CLASS_NAMES),
        "config": values(config),
    }
    ground_truth.write_calibration(truth / ground_truth.CALIBRATION, calibration)
