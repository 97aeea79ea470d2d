# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One small drive, rendered once for all tests of the simulation."""

import pytest

from depth_node.config.street import StreetConfig
from depth_node.simulation.drive import Simulator

SMALL = StreetConfig(seed=3, frames=4, width=320, height=96, lidar_columns=512)


@pytest.fixture(scope="package")
def simulator():
    return Simulator(SMALL)


@pytest.fixture(scope="package")
def frames(simulator):
    return [simulator.frame(k) for k in range(SMALL.frames)]
