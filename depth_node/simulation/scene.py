# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A whole street by its configuration: its paths, and what stands beside them in its surroundings."""

from __future__ import annotations

from dataclasses import replace

from depth_node.config.street import StreetConfig
from depth_node.simulation.open_road import CountryBuilder, HighwayBuilder, SuburbBuilder
from depth_node.simulation.street import Street, build_paths, duration
from depth_node.simulation.town import TownBuilder

BUILDERS = {"town": TownBuilder, "suburb": SuburbBuilder, "country": CountryBuilder, "highway": HighwayBuilder}


def build_street(config: StreetConfig) -> Street:
    """Build the street of `config.seed`; the same configuration gives the same street, triangle for triangle."""
    paths = build_paths(config)
    length = paths.motion.way(duration(config))
    builder = BUILDERS[config.surroundings](config, paths.profile, paths.center, length)
    return replace(paths, mesh=paths.hills.lifted(builder.build()))
