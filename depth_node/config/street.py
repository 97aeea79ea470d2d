# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a simulated street drive looks like and how it is written."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting

SURROUNDINGS = ("town", "suburb", "country", "highway")


@dataclass(frozen=True)
class StreetConfig(Validated):
    """A drive through a procedural street. The seed decides everything that is not set here."""

    seed: int = setting(0, "decides the street, its traffic and its light", low=0, high=2**31 - 1)
    surroundings: str = setting("town", "what lies beside the street", choices=SURROUNDINGS)
    frames: int = setting(100, "number of camera frames", low=1, high=100_000)
    rate: float = setting(10.0, "camera and lidar rate", unit="Hz", low=0.1, high=100.0)
    width: int = setting(640, "image width", unit="px", low=32, high=4096)
    height: int = setting(192, "image height", unit="px", low=32, high=3072)
    focal: float = setting(0.58, "focal length as a fraction of the image width", low=0.2, high=5.0)
    camera_height: float = setting(1.65, "height of the camera above the road", unit="m", low=0.5, high=4.0)
    speed: float = setting(10.0, "mean speed of the ego vehicle", unit="m/s", low=0.0, high=30.0)
    speed_variation: float = setting(1.0, "amplitude of the slow speed changes", unit="m/s", low=0.0, high=5.0)
    curvature: float = setting(1.0, "how much the street bends: 0 straight, 1 gentle bends", low=0.0, high=1.5)
    slope: float = setting(
        0.0, "largest grade of the hills that the street goes over: 0.08 climbs 8 m in 100 m", low=0.0, high=0.2
    )
    slope_length: float = setting(
        160.0, "about how far it is from one crest to the next", unit="m", low=40.0, high=2000.0
    )
    weave: float = setting(0.15, "how far the ego vehicle sways to each side in its lane", unit="m", low=0.0, high=3.0)
    weave_length: float = setting(60.0, "about how far it drives for one such swing", unit="m", low=10.0, high=1000.0)
    lead_car: bool = setting(True, "drive behind one car that keeps exactly the ego speed")
    lead_gap: float = setting(
        16.0, "way between the rear axle and the middle of the lead car", unit="m", low=6, high=60
    )
    traffic: float = setting(1.0, "density of oncoming and overtaking cars", low=0.0, high=3.0)
    queue: float = setting(
        0.0,
        "share of places taken by cars that stand and wait beside the own lane, and in it where the drive ends",
        low=0.0,
        high=1.0,
    )
    parked: float = setting(0.6, "share of occupied places on parking lanes", low=0.0, high=1.0)
    trees: float = setting(1.0, "density of trees", low=0.0, high=3.0)
    lorries: float = setting(0.0, "share of lorries and coaches among the traffic", low=0.0, high=1.0)
    pedestrians: float = setting(1.0, "density of people on the sidewalks", low=0.0, high=5.0)
    lidar: bool = setting(True, "simulate a 64-line lidar")
    lidar_columns: int = setting(1024, "lidar points per line and turn", low=16, high=4096)
    lidar_noise: float = setting(0.005, "standard deviation of the measured range", unit="m", low=0.0, high=1.0)
    storage: str = setting("mcap", "storage of the bag", choices=("mcap", "sqlite3"))
    image: str = setting("raw", "kind of image messages", choices=("raw", "compressed"))
    encoding: str = setting("rgb8", "encoding of raw images", choices=("rgb8", "bgr8"))
    jpeg_quality: int = setting(95, "quality of compressed images", low=1, high=100)
    workers: int = setting(0, "rendering processes, 0 for one per core; never changes the result", low=0, high=256)
