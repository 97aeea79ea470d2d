# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the live node: the only place with their defaults.

The same metadata makes the ROS parameter descriptors, `config/depth.yaml` and the reading of parameters in `ros/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields

from depth_node.config.backend import AUTO, BACKENDS
from depth_node.config.fit import fit_setting
from depth_node.config.setting import Validated, setting, settings
from depth_node.errors import ConfigError

MEASURED = ("lidar", "scan", "range", "odometry", "camera_height")
"""Sources of scale that measure at run time, best first."""
NAME = r"[A-Za-z](_?[A-Za-z0-9])*"
"""A part of a ROS topic's name, strictly."""
SHARED = ("checkpoint", "device", "precision", "backend", "autostart", "cameras", "input.fit")
"""What several cameras cannot have each to itself; all else can be set for one as 'front.depth.max'."""
SCALE_SOURCES = ("auto", *MEASURED, "checkpoint", "fixed")


@dataclass(frozen=True)
class DepthSettings(Validated):
    """The published depth image."""

    encoding: str = setting(
        "32FC1", "depth/image_rect as float metres or as millimetres (0 invalid)", choices=("32FC1", "16UC1")
    )
    min: float = setting(0.1, "nearer is published as -Inf (16UC1: 0)", unit="m", low=0.0, high=1000.0, live=True)
    max: float = setting(80.0, "farther is published as +Inf (16UC1: 0)", unit="m", low=0.01, high=10000.0, live=True)
    full_resolution: bool = setting(
        False, "publish at the camera's size instead of the network's (costs bandwidth)", live=True
    )
    sky_infinite: bool = setting(
        True, "publish +Inf (16UC1: 0) where a checkpoint's semantic network sees sky, and no points there", live=True
    )


PRESETS: dict[str, dict[str, float]] = {"full": {}, "obstacles": {"stride": 2, "max_range": 10.0, "clear_range": 12.0}}
"""What each preset of the cloud sets, where nothing else was said (docs/nav2.md)."""


@dataclass(frozen=True)
class PointSettings(Validated):
    """The published cloud."""

    preset: str = setting(
        "full",
        "full: as the other parameters say; obstacles: for Nav2's layers, stride 2, max_range 10 m, clear_range 12 m, "
        "each unless it is set to something else than its default",
        choices=tuple(PRESETS),
        live=True,
    )
    stride: int = setting(1, "keep every n-th pixel of every n-th row", low=1, high=64, live=True)
    min_range: float = setting(0.0, "points nearer to the camera are left out", unit="m", low=0.0, live=True)
    max_range: float = setting(
        1000.0, "points farther from the camera are left out; depth.max holds too", unit="m", low=0.01, live=True
    )
    clear_range: float = setting(
        0.0,
        "where a ray ends in the sky or beyond max_range, put a point this far away, so that obstacle layers clear "
        "what lies before it (docs/nav2.md); 0 puts none",
        unit="m",
        low=0.0,
        live=True,
    )
    organized: bool = setting(
        True,
        "keep the cloud as an image-shaped grid, NaN where there is no point; false sends valid points only",
        live=True,
    )
    labels: bool = setting(
        True,
        "give points their semantic class as field 'label', where the checkpoint has a semantic network",
        live=True,
    )
    confidence: bool = setting(False, "give points how sure they are as field 'confidence', 0 to 1", live=True)
    min_confidence: int = setting(
        0, "points less sure than this are left out: 255 is sure, see depth/confidence", low=0, high=255, live=True
    )

    def __post_init__(self) -> None:
        """Check every value and put in those of the preset; raises ConfigError."""
        super().__post_init__()
        defaults = {field.name: field.default for field in fields(self)}
        for name, value in PRESETS[self.preset].items():
            if getattr(self, name) == defaults[name]:
                object.__setattr__(self, name, value)


@dataclass(frozen=True)
class InputSettings(Validated):
    """What the network sees of a picture."""

    fit: str = fit_setting(live=True)


@dataclass(frozen=True)
class ScaleSettings(Validated):
    """From network units to metres (docs/metres.md)."""

    source: str = setting(
        "auto",
        "what says how long a network unit is: the first of these that speaks (auto), or one of them alone",
        choices=SCALE_SOURCES,
        live=True,
    )
    fixed: float = setting(
        0.0, "metres per network unit; 0 takes the checkpoint's own scale", low=0.0, high=10000.0, live=True
    )
    camera_height: float = setting(
        0.0,
        "height of the camera above the road; 0 takes it from TF, as its height in scale.ground_frame",
        unit="m",
        low=0.0,
        high=100.0,
        live=True,
    )
    ground_frame: str = setting("base_footprint", "TF frame whose x and y axes lie on the road", live=True)
    extrinsics: str = setting("", "YAML file with where the sensors sit; it wins over TF")
    smoothing: bool = setting(
        True, "take out flicker: keep static things where they were in the picture before", live=True
    )


@dataclass(frozen=True)
class NodeConfig(Validated):
    """Parameters of the live node; network, input size and depth range come with the checkpoint."""

    checkpoint: str = setting(
        "default",
        "path of a *.safetensors checkpoint, or of an *.onnx file of `depth export` (docs/speed.md), one shipped here: "
        "'default' (simulated street, with classes) or 'real', or published weights by name, such as "
        "'monodepth2:mono_640x192', downloaded at first use (docs/importing.md); "
        "another one is loaded beside it and takes over without a gap, as does a file that has changed when it is "
        "named again",
        live=True,
    )
    device: str = setting("auto", "where the network runs", choices=("auto", "cpu", "cuda"))
    precision: str = setting("auto", "arithmetic of the network", choices=("auto", "fp32", "fp16", "bf16"))
    backend: str = setting(
        AUTO,
        "what computes the network; auto measures once what is installed and takes the fastest that agrees with torch",
        choices=BACKENDS,
    )
    autostart: bool = setting(True, "configure and activate at start; false waits for a lifecycle manager")
    cameras: tuple[str, ...] = setting(
        ("",),
        "names of several cameras, such as [front, rear], which share the network: their topics are front/image, "
        "front/depth/image_rect and so on, front.depth.max is a parameter of one alone (docs/cameras.md); empty: one "
        "camera, whose topics have no name before them",
    )
    enabled: bool = setting(
        True,
        "false: stay active and subscribed, but make nothing until it is true again; the service ~/enable sets it, "
        "too; of several cameras it pauses all, front.enabled one",
        live=True,
    )
    image_transport: str = setting(
        "auto",
        "subscribe to image (raw) or to image/compressed; auto takes compressed images where there are no raw ones",
        choices=("auto", "raw", "compressed"),
    )
    bits: int = setting(
        0, "bits in use of 16-bit pictures (a 12-bit sensor's are black otherwise); 0 finds out", low=0, high=16
    )
    rectify: str = setting(
        "auto",
        "undistort the image: auto does when camera_info has distortion and the topic is not called image_rect",
        choices=("auto", "never", "always"),
    )
    max_age: float = setting(
        0.0, "drop images older than this when their turn comes; 0 keeps all", unit="s", low=0.0, live=True
    )
    input: InputSettings = field(default_factory=InputSettings)
    depth: DepthSettings = field(default_factory=DepthSettings)
    points: PointSettings = field(default_factory=PointSettings)
    scale: ScaleSettings = field(default_factory=ScaleSettings)

    def __post_init__(self) -> None:
        """Check every value alone and the ranges together; raises ConfigError."""
        super().__post_init__()
        _check_cameras(self.camera_names)
        _check_range("depth.min", self.depth.min, "depth.max", self.depth.max)
        if self.scale.source == "fixed" and not self.scale.fixed:
            raise ConfigError("parameter 'scale.source' is fixed: set 'scale.fixed' to metres per network unit too")
        _check_range("points.min_range", self.points.min_range, "points.max_range", self.points.max_range)

    @property
    def camera_names(self) -> tuple[str, ...]:
        """Of several cameras; of one, an empty name."""
        given = self.cameras.split(",") if isinstance(self.cameras, str) else self.cameras
        return tuple(name.strip() for name in given) or ("",)


def _check_cameras(names: tuple[str, ...]) -> None:
    """Refuse what cannot stand in a topic's name, or would mean two cameras."""
    for name in names:
        if names != ("",) and not re.fullmatch(NAME, name):
            raise ConfigError(
                f"parameter 'cameras' has {name!r}, which is no name for topics: take letters, digits and single "
                "underscores, and begin with a letter"
            )
        if names.count(name) > 1:
            raise ConfigError(f"parameter 'cameras' has '{name}' twice: each camera needs a name of its own")
        if any(named.name.split(".")[0] == name for named in settings(NodeConfig)):
            raise ConfigError(f"parameter 'cameras' has '{name}', which is a parameter's name: call it {name}_camera")


def _check_range(low_name: str, low: float, high_name: str, high: float) -> None:
    if low >= high:
        raise ConfigError(f"parameter '{low_name}' is {low:g} but must be below '{high_name}', which is {high:g}")
