# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Renders the frames of a drive, on several processes when asked; a frame depends on its number only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.config.street import StreetConfig
from depth_node.simulation import ground_truth, rig
from depth_node.simulation.camera import Camera, Picture
from depth_node.simulation.lidar import Lidar
from depth_node.simulation.raycast import World
from depth_node.simulation.renderers import render_in_order
from depth_node.simulation.scene import build_street
from depth_node.simulation.shading import Painter
from depth_node.simulation.traffic import Traffic

START_NS = 1_717_243_200_000_000_000  # an arbitrary fixed time, so that the same drive has the same stamps
_AHEAD = 3  # frames in flight per process


@dataclass(frozen=True)
class Frame:
    """What one instant of the drive gives.

    Attributes:
        index: number of the frame.
        stamp_ns: acquisition time of image and lidar.
        picture: image, depth and labels.
        points: lidar points (`lidar.POINT`) in the lidar frame, or None.
    """

    index: int
    stamp_ns: int
    picture: Picture
    points: NDArray[np.void] | None


def stamp_ns(config: StreetConfig, index: float) -> int:
    """Stamp of frame `index` in ns; fractions lie between frames."""
    return START_NS + round(index * 1e9 / config.rate)


class Simulator:
    """A street with its traffic and the sensors that drive through it."""

    def __init__(self, config: StreetConfig) -> None:
        """Build everything; takes some seconds."""
        self.config = config
        self.street = build_street(config)
        self.traffic = Traffic(config, self.street)
        assert self.street.mesh is not None
        self.world = World(self.street.mesh)
        painter = Painter(self.street, self.world, config.seed)
        self.camera = Camera(rig.intrinsics(config), config.width, config.height, self.world, painter)
        self._lidar = Lidar(config.lidar_columns, config.lidar_noise, self.world, painter) if config.lidar else None

    def frame(self, index: int) -> Frame:
        """Render frame `index`."""
        t = index / self.config.rate
        self.world.set_moving(self.traffic.mesh_at(t))
        T_world_base = rig.world_from_base(self.street, t)
        picture = self.camera.take(T_world_base @ rig.base_from_camera(self.config))
        points = None
        if self._lidar is not None:
            rng = np.random.default_rng([self.config.seed, 6, index])
            points = self._lidar.scan(T_world_base @ rig.base_from_lidar(), rng)
        return Frame(index, stamp_ns(self.config, index), picture, points)


def render(config: StreetConfig, truth: Path | None = None) -> Iterator[Frame]:
    """All frames in order.

    Args:
        config: the drive.
        truth: where depth and labels are written by the processes that render them; None to write nothing.

    Raises:
        SimulationError: a rendering process died.
    """
    workers = min(config.workers or os.cpu_count() or 1, config.frames)
    if workers == 1:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            simulator = Simulator(config)
            for index in range(config.frames):
                yield _finish(simulator.frame(index), truth)
        finally:
            cv2.setNumThreads(threads)
        return
    yield from render_in_order(
        _work, range(config.frames), workers, _AHEAD, "try --workers 1", _start_worker, (config, truth)
    )


def _finish(frame: Frame, truth: Path | None) -> Frame:
    if truth is not None:
        ground_truth.write_depth(ground_truth.depth_path(truth, frame.index), frame.picture.depth)
        ground_truth.write_labels(ground_truth.labels_path(truth, frame.index), frame.picture.labels)
    return frame


class _Worker:
    """State of one rendering process."""

    simulator: Simulator | None = None
    truth: Path | None = None


def _start_worker(config: StreetConfig, truth: Path | None) -> None:
    _Worker.simulator, _Worker.truth = Simulator(config), truth


def _work(index: int) -> Frame:
    assert _Worker.simulator is not None
    return _finish(_Worker.simulator.frame(index), _Worker.truth)
