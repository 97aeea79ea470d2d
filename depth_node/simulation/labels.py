# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of the classes in every label image of this package: Cityscapes train ids."""

from __future__ import annotations

from depth_node.config.classes import CITYSCAPES

ROAD, SIDEWALK, BUILDING, WALL, FENCE, POLE, TRAFFIC_LIGHT, TRAFFIC_SIGN, VEGETATION, TERRAIN, SKY = range(11)
PERSON, RIDER, CAR, TRUCK, BUS, TRAIN, MOTORCYCLE, BICYCLE = range(11, 19)
CLASS_NAMES = CITYSCAPES.names
