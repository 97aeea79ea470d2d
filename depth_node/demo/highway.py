# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The part of the demonstration that is real: a clip of a highway, through the live node with the checkpoint for it.

Nobody measured the depth of it, so that it is looked at and not scored. `clip/NOTICE.md` says whose pictures these are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depth_node.bags.reader import BagReader
from depth_node.camera.network_input import resize_image
from depth_node.checkpoints.shipped import REAL
from depth_node.config.demo import DemoConfig
from depth_node.demo.chain import COMPRESSED_TOPIC, DriveResult, drive
from depth_node.drawing.overview import overview
from depth_node.image_file import write_image

CLIP = Path(__file__).parent / "clip" / "highway"
FRAMES = 40
SHOWN = (0.25, 0.75)
"""Where in the clip pictures are drawn, of its length."""


@dataclass(frozen=True)
class HighwayNumbers:
    """The clip in numbers; delay in seconds."""

    sent: int
    received: int
    rate: float
    delay_median: float

    def rows(self) -> list[tuple[str, str]]:
        """Name and value of every number, for people."""
        return [
            ("highway pictures sent", str(self.sent)),
            ("depth images received", f"{self.received} ({self.received / max(self.sent, 1):.0%})"),
            ("delay camera to subscriber", f"median {self.delay_median * 1e3:.0f} ms"),
        ]


def drive_highway(folder: Path, config: DemoConfig) -> DriveResult:
    """Play the clip through the live node; see `drive`."""
    return drive(CLIP, folder, FRAMES, config, config.checkpoint or REAL, COMPRESSED_TOPIC)


def measure_highway(result: DriveResult) -> HighwayNumbers:
    """What can be said without measured depth."""
    median = float(np.median(result.delays)) if len(result.delays) else float("nan")
    return HighwayNumbers(result.sent, len(result.stamps), result.rate, median)


def draw_highway(result: DriveResult, output: Path) -> list[Path]:
    """Draw some pictures of the clip; returns their files."""
    paths = []
    for number, share in enumerate(SHOWN, 1):
        stamp = result.stamps[int(share * (len(result.stamps) - 1))]
        depth = result.depth(stamp)
        with BagReader(CLIP) as reader:
            image = next(image.rgb for image in reader.images(COMPRESSED_TOPIC) if image.stamp_ns == stamp)
        shown = resize_image(image, *depth.shape).numpy()
        picture = overview(
            shown,
            depth,
            result.intrinsics[stamp],
            "a real highway, published by the live node",
            labels=result.labels(stamp),
            classes=result.classes,
        )
        paths.append(output / f"{3 + number}_real_highway_{number}.png")
        write_image(paths[-1], picture)
    return paths
