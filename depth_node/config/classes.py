# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Semantic classes: names, colours and what each means for depth; the one place that knows Cityscapes and CamVid.

A label image holds one class number per pixel, 8 bits. `UNLABELLED` and every number that the map does not reach
stand for "not known".
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depth_node.errors import ConfigError

UNLABELLED = 255
Color = tuple[int, int, int]


@dataclass(frozen=True)
class ClassMap:
    """The classes of a semantic network, by index.

    Attributes:
        names: one per class.
        colors: RGB 0..255, one per class.
        sky: classes that are infinitely far.
        moving: classes that may move on their own.
        ground: classes that lie flat under the wheels.
    """

    names: tuple[str, ...]
    colors: tuple[Color, ...]
    sky: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()
    ground: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that names are unique, colours complete and groups made of known names; raises ConfigError."""
        if not 2 <= len(self.names) <= UNLABELLED:
            raise ConfigError(f"a class map needs 2 to {UNLABELLED} classes, not {len(self.names)}")
        twice = next((name for name in self.names if self.names.count(name) > 1), None)
        if twice is not None:
            raise ConfigError(f"class '{twice}' is in the class map twice")
        if len(self.colors) != len(self.names):
            raise ConfigError(f"the class map has {len(self.names)} classes but {len(self.colors)} colors")
        bad = next((c for c in self.colors if len(c) != 3 or not all(0 <= part <= 255 for part in c)), None)
        if bad is not None:
            raise ConfigError(f"color {list(bad)} of the class map is not three numbers from 0 to 255")
        for name in (*self.sky, *self.moving, *self.ground):
            self.index(name)

    def __len__(self) -> int:
        """The number of classes."""
        return len(self.names)

    def index(self, name: str) -> int:
        """The number of a class; raises ConfigError for an unknown name, with the nearest known one."""
        if name not in self.names:
            near = difflib.get_close_matches(name, self.names, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(self.names)}"
            raise ConfigError(f"the class map has no class '{name}': {hint}")
        return self.names.index(name)

    @property
    def sky_ids(self) -> tuple[int, ...]:
        """Numbers of the classes in `sky`."""
        return tuple(map(self.index, self.sky))

    @property
    def moving_ids(self) -> tuple[int, ...]:
        """Numbers of the classes in `moving`."""
        return tuple(map(self.index, self.moving))

    @property
    def road_ids(self) -> tuple[int, ...]:
        """Number of the first class in `ground`, on which wheels roll: pavements and lawns lie higher."""
        return self.ground_ids[:1]

    @property
    def ground_ids(self) -> tuple[int, ...]:
        """Numbers of the classes in `ground`."""
        return tuple(map(self.index, self.ground))

    def record(self) -> dict[str, Any]:
        """The map as JSON values; `ClassMap.of` reads it back."""
        return {
            "names": list(self.names),
            "colors": [list(color) for color in self.colors],
            "sky": list(self.sky),
            "moving": list(self.moving),
            "ground": list(self.ground),
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> ClassMap:
        """Read a map from plain values.

        Args:
            record: `names`, and optionally `colors` (without it, each class gets a colour of its own), `sky`,
                `moving` and `ground`.

        Raises:
            ConfigError: a value is missing, unknown or of another form.
        """
        known = ("names", "colors", "sky", "moving", "ground")
        unknown = next((str(key) for key in record if key not in known), None)
        if unknown is not None:
            raise ConfigError(f"a class map has no '{unknown}': it has {', '.join(known)}")
        names = _names(record, "names")
        try:
            given = record.get("colors")
            colors = _distinct_colors(len(names)) if given is None else tuple(_color(color) for color in given)
        except (TypeError, ValueError):
            raise ConfigError("colors of a class map must be lists of three whole numbers, one per class") from None
        return cls(names, colors, *(_names(record, group) for group in ("sky", "moving", "ground")))


def _names(record: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = record.get(key, [])
    if not isinstance(found, (list, tuple)) or not all(isinstance(name, str) for name in found):
        raise ConfigError(f"'{key}' of a class map must be a list of names (quote a name such as \"no\")")
    return tuple(found)


def _color(color: Any) -> Color:
    red, green, blue = (int(part) for part in color)
    return red, green, blue


def _distinct_colors(count: int) -> tuple[Color, ...]:
    """One colour per class by PASCAL VOC's rule: the bits of the number, spread over red, green and blue."""
    colors = []
    for number in range(1, count + 1):
        parts = [0, 0, 0]
        for bit in range(8):
            parts[bit % 3] |= (number >> bit & 1) << (7 - bit // 3)
        colors.append((parts[0], parts[1], parts[2]))
    return tuple(colors)


CITYSCAPES = ClassMap(
    names=(
        "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation",
        "terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
    ),
    colors=(
        (128, 64, 128), (244, 35, 232), (70, 70, 70), (102, 102, 156), (190, 153, 153), (153, 153, 153),
        (250, 170, 30), (220, 220, 0), (107, 142, 35), (152, 251, 152), (70, 130, 180), (220, 20, 60),
        (255, 0, 0), (0, 0, 142), (0, 0, 70), (0, 60, 100), (0, 80, 100), (0, 0, 230), (119, 11, 32),
    ),
    sky=("sky",),
    moving=("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"),
    ground=("road", "sidewalk", "terrain"),
)  # fmt: skip
"""Cityscapes train ids, also the labels of the simulated street."""

CAMVID = ClassMap(
    names=(
        "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist",
    ),
    colors=(
        (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (60, 40, 222), (128, 128, 0),
        (192, 128, 128), (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192),
    ),
    sky=("sky",),
    moving=("car", "pedestrian", "bicyclist"),
    ground=("road", "pavement"),
)  # fmt: skip
"""The eleven classes of CamVid, in the order of its usual label pictures (11 there is unlabelled)."""

CLASS_MAPS = {"cityscapes": CITYSCAPES, "camvid": CAMVID}


def read_class_map(source: str) -> ClassMap:
    """A class map by name ('cityscapes', 'camvid') or from a YAML file with the entries of `ClassMap.of`.

    Raises:
        ConfigError: there is no such name or file, or the file is no class map.
    """
    if source in CLASS_MAPS:
        return CLASS_MAPS[source]
    if not source.endswith((".yaml", ".yml")):
        raise ConfigError(f"unknown class map '{source}': use {', '.join(CLASS_MAPS)} or a YAML file")
    record = read_mapping(Path(source), "class map")
    try:
        return ClassMap.of(record)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from None


def read_mapping(path: Path, what: str) -> dict[Any, Any]:
    """A YAML file that holds a mapping; raises ConfigError, which calls the file a `what`."""
    import yaml

    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {what} {path}: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{what} {path} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(record, dict):
        raise ConfigError(f"{what} {path} must be a YAML mapping of names to values")
    return record
