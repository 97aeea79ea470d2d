# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Streets drawn at random: surroundings, traffic and cameras as different as the simulator makes them."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.atomic_file import replacing
from depth_node.config.pretraining import WorldsConfig
from depth_node.config.setting import values
from depth_node.config.street import StreetConfig
from depth_node.simulation import rig
from depth_node.simulation.drive import Simulator
from depth_node.simulation.renderers import render_in_order

SURROUNDINGS = {"town": 0.35, "suburb": 0.2, "country": 0.2, "highway": 0.25}
"""Share of each among the streets."""

QUALITIES = (25, 92)
"""Half of the pictures have been through a JPEG of some quality between these."""

AHEAD = 2  # streets in flight per process


@dataclass(frozen=True)
class StreetFrames:
    """What one street gives: N frames of one camera.

    Attributes:
        images: (N, H, W, 3) uint8 RGB.
        depths: (N, H, W) float16 metres along the optical axis, inf in the sky.
        labels: (N, H, W) uint8 Cityscapes train ids.
        K: (3, 3) intrinsics, pixels.
    """

    images: NDArray[np.uint8]
    depths: NDArray[np.float16]
    labels: NDArray[np.uint8]
    K: NDArray[np.float64]


def draw_street(number: int, config: WorldsConfig) -> StreetConfig:
    """The street of a number; the same number and sizes give the same street."""
    rng = np.random.default_rng([number, 77])
    surroundings = str(rng.choice(list(SURROUNDINGS), p=list(SURROUNDINGS.values())))
    open_road = surroundings in ("country", "highway")
    usual_height = rng.random() < 0.8
    return StreetConfig(
        seed=number,
        surroundings=surroundings,
        frames=config.frames,
        rate=1.5 if surroundings != "highway" else 2.5,
        width=config.width,
        height=config.height,
        focal=float(np.exp(rng.uniform(np.log(0.45), np.log(1.0)))),
        camera_height=float(rng.uniform(1.1, 1.9) if usual_height else rng.uniform(0.5, 2.6)),
        speed=float(rng.uniform(15, 30) if surroundings == "highway" else rng.uniform(5, 12)),
        curvature=float(rng.uniform(0.1, 0.6) if surroundings == "highway" else rng.uniform(0.0, 1.5)),
        weave=float(rng.uniform(0.0, 1.2)),
        lead_car=bool(rng.random() < 0.5),
        lead_gap=float(rng.uniform(7, 40)),
        traffic=float(rng.uniform(0.0, 3.0)),
        queue=float(rng.uniform(0.3, 0.9)) if rng.random() < 0.3 else 0.0,
        parked=float(rng.uniform(0.0, 1.0)),
        trees=float(rng.uniform(0.2, 2.5)),
        lorries=float(rng.uniform(0.0, 0.5)),
        pedestrians=0.0 if surroundings == "highway" else float(rng.uniform(0.0, 0.5 if open_road else 4.0)),
        slope=float(rng.uniform(0.0, 0.09)) if rng.random() < 0.4 else 0.0,
        lidar=False,
        workers=1,
    )


def render_street(number: int, config: WorldsConfig) -> StreetFrames:
    """All frames of one street, some as a lossy camera would give them."""
    street = draw_street(number, config)
    simulator, rng = Simulator(street), np.random.default_rng([number, 78])
    pictures = [simulator.frame(index).picture for index in range(street.frames)]
    return StreetFrames(
        np.stack([_as_sent(picture.rgb, rng) for picture in pictures]),
        np.stack([picture.depth.astype(np.float16) for picture in pictures]),
        np.stack([picture.labels for picture in pictures]),
        rig.intrinsics(street),
    )


def _as_sent(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    quality = int(rng.integers(*QUALITIES))
    if rng.random() < 0.5:
        return image
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1].copy()


def kept_street(number: int, config: WorldsConfig, folder: Path) -> StreetFrames:
    """A street from a folder, rendered into it where it is not there, is damaged or was drawn otherwise."""
    path = folder / f"{number}.npz"
    drawn = json.dumps(values(draw_street(number, config)), sort_keys=True)
    try:
        with np.load(path) as kept:  # without pickles
            if str(kept["drawn"]) == drawn:
                return StreetFrames(kept["images"], kept["depths"], kept["labels"], kept["K"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, EOFError):
        pass
    street = render_street(number, config)
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary, images=street.images, depths=street.depths, labels=street.labels, K=street.K, drawn=drawn
        )
    return street


def render_streets(config: WorldsConfig, folder: Path) -> Iterator[StreetFrames]:
    """All streets in the order of their numbers, rendered ahead by several processes; what `folder` has is read.

    Raises:
        OutputError: a street cannot be written.
        SimulationError: a rendering process died.
    """
    numbers = range(config.first, config.first + config.streets)
    workers = min(config.workers or os.cpu_count() or 1, config.streets)
    get = partial(kept_street, config=config, folder=folder)
    yield from render_in_order(get, numbers, workers, AHEAD, "try fewer worlds.workers", _step_back)


def _step_back() -> None:
    os.nice(5)  # the network that learns from the streets goes first
