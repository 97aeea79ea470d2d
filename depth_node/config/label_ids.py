# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From the numbers in label pictures to the numbers of a class map, where the two differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from depth_node.config.classes import UNLABELLED, ClassMap, read_mapping
from depth_node.errors import ConfigError

LABEL_IDS: Mapping[str, Mapping[int, str]] = {
    # `*_labelIds.png` of the Cityscapes data set, which numbers more classes than are trained.
    "cityscapes": {
        7: "road", 8: "sidewalk", 11: "building", 12: "wall", 13: "fence", 17: "pole", 19: "traffic light",
        20: "traffic sign", 21: "vegetation", 22: "terrain", 23: "sky", 24: "person", 25: "rider", 26: "car",
        27: "truck", 28: "bus", 31: "train", 32: "motorcycle", 33: "bicycle",
    },
    # CamVid's label pictures, read as Cityscapes classes.
    "camvid": {
        0: "sky", 1: "building", 2: "pole", 3: "road", 4: "sidewalk", 5: "vegetation", 6: "traffic sign", 7: "fence",
        8: "car", 9: "person", 10: "rider",
    },
}  # fmt: skip


def identity_table(classes: ClassMap) -> tuple[int, ...]:
    """The 256 class numbers of label pictures that already hold class numbers; others become UNLABELLED."""
    return tuple(number if number < len(classes) else UNLABELLED for number in range(256))


def read_label_ids(source: str, classes: ClassMap) -> tuple[int, ...]:
    """The class number of each of the 256 values of a label picture.

    Args:
        source: '' for pictures that hold class numbers, 'cityscapes' (`*_labelIds.png` to train ids), 'camvid'
            (CamVid's pictures to Cityscapes train ids), or a YAML file that maps values to class names or numbers.
        classes: the class map aimed at.

    Returns:
        256 class numbers; values that are not mapped become UNLABELLED.

    Raises:
        ConfigError: there is no such map or file, or it names a value or class that does not exist.
    """
    if not source:
        return identity_table(classes)
    if source in LABEL_IDS:
        given: Mapping[Any, Any] = LABEL_IDS[source]
    elif source.endswith((".yaml", ".yml")):
        given = read_mapping(Path(source), "label id map")
    else:
        raise ConfigError(f"unknown label id map '{source}': use {', '.join(LABEL_IDS)} or a YAML file")
    table = [UNLABELLED] * 256
    for value, target in given.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(table):
            raise ConfigError(f"label id map {source}: {value!r} is no value of an 8-bit label picture")
        table[value] = _class_number(target, classes, source)
    return tuple(table)


def _class_number(target: object, classes: ClassMap, source: str) -> int:
    if isinstance(target, str):
        try:
            return classes.index(target)
        except ConfigError as error:
            raise ConfigError(f"label id map {source}: {error}") from None
    if isinstance(target, int) and not isinstance(target, bool) and (0 <= target < len(classes)):
        return target
    if target == UNLABELLED:
        return UNLABELLED
    known = f"a name, 0 to {len(classes) - 1} or {UNLABELLED}"
    raise ConfigError(f"label id map {source}: {target!r} is no class: use {known}")
