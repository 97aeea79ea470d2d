# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the demonstration shows a newcomer: three pictures, one table, one page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from depth_node.bags.reader import BagReader
from depth_node.camera.network_input import resize_image
from depth_node.config.classes import CITYSCAPES, UNLABELLED
from depth_node.config.evaluation import EvaluationConfig
from depth_node.demo.chain import IMAGE_TOPIC, DriveResult
from depth_node.drawing.html_page import Page, PageTable, write_page
from depth_node.drawing.overview import overview
from depth_node.evaluation.comparison_picture import comparison_picture
from depth_node.evaluation.evaluate import ComparedFrame
from depth_node.evaluation.label_sources import labels_at
from depth_node.evaluation.metrics import DepthMetrics, depth_metrics, mean_metrics
from depth_node.evaluation.protocol import compare
from depth_node.image_file import write_image
from depth_node.kitti.layout import read_image
from depth_node.simulation.ground_truth import (
    depth_path,
    labels_path,
    read_calibration,
    read_depth,
    read_labels,
    read_times,
)

TITLE = "the live node on a street it has never seen"

NEXT_STEPS = """\
depth record MY_BAG --output recorded            your bag becomes a training folder
depth train --data recorded --output runs/mine   learn depth from it, no labels needed (hours; a GPU helps)
depth_node --ros-args -p checkpoint:=runs/mine/best.safetensors \\
    -r image:=/my/image -r camera_info:=/my/camera_info      drive with it"""


@dataclass(frozen=True)
class DemoNumbers:
    """The demonstration in numbers; delays in seconds, metrics over the Eigen crop.

    Attributes:
        scaled: metrics with each image scaled by its median, as papers report.
        metric: metrics of the metres as published.
        compared: clouds that were compared with the depth and label images of their stamp.
        misfits: how many of them differ.
        labelled: label images that came; None without a semantic network.
        right_labels: share of the pixels with the right class; None without, or with classes of another kind.
    """

    sent: int
    received: int
    clouds: int
    rate: float
    delay_median: float
    delay_95: float
    scaled: DepthMetrics
    metric: DepthMetrics
    compared: int
    misfits: int
    labelled: int | None = None
    right_labels: float | None = None

    def rows(self) -> list[tuple[str, str]]:
        """Name and value of every number, for people."""
        rows = [
            ("camera frames sent", str(self.sent)),
            ("depth images received", f"{self.received} ({self.received / max(self.sent, 1):.0%})"),
            ("point clouds received", str(self.clouds)),
            ("clouds equal to the images of their stamp", f"{self.compared - self.misfits} of {self.compared}"),
            ("rate", f"{self.rate:.1f} per second"),
            (
                "delay camera to subscriber",
                f"median {self.delay_median * 1e3:.0f} ms, 95 % {self.delay_95 * 1e3:.0f} ms",
            ),
            ("abs_rel, median-scaled", f"{self.scaled.abs_rel:.3f}  (a1 {self.scaled.a1:.3f})"),
            ("abs_rel, metres as published", f"{self.metric.abs_rel:.3f}  (a1 {self.metric.a1:.3f})"),
        ]
        if self.labelled is not None:
            rows.append(("semantic images received", str(self.labelled)))
        if self.right_labels is not None:
            rows.append(("pixels with the right class", f"{self.right_labels:.1%}"))
        return rows


def table(rows: Sequence[tuple[str, str]]) -> Table:
    """Rows of numbers for the terminal."""
    drawn = Table(title=TITLE, title_justify="left", show_header=False)
    for name, value in rows:
        drawn.add_row(name, value)
    return drawn


def measure(result: DriveResult, truth: Path) -> DemoNumbers:
    """Compare every depth image that arrived with the exact depth of its stamp.

    Args:
        result: what the subscriber kept.
        truth: ground-truth folder of the simulated drive.
    """
    frame_of = {stamp: frame for frame, stamp in enumerate(read_times(truth / "times.txt"))}
    metrics: dict[bool, list[DepthMetrics]] = {True: [], False: []}
    for stamp in result.stamps:
        exact = read_depth(depth_path(truth, frame_of[stamp]))
        for scaling, found in metrics.items():
            matched = compare(exact, _finite(result.depth(stamp)), EvaluationConfig(median_scaling=scaling))
            found.append(depth_metrics(matched.ground_truth, matched.prediction))
    return DemoNumbers(
        sent=result.sent,
        received=len(result.stamps),
        clouds=result.clouds,
        rate=result.rate,
        delay_median=float(np.median(result.delays)) if len(result.delays) else math.nan,
        delay_95=float(np.percentile(result.delays, 95)) if len(result.delays) else math.nan,
        scaled=mean_metrics(metrics[True]),
        metric=mean_metrics(metrics[False]),
        compared=result.compared,
        misfits=len(result.misfits),
        labelled=len(result.labelled) if result.classes else None,
        right_labels=_right_labels(result, {stamp: labels_path(truth, frame) for stamp, frame in frame_of.items()}),
    )


def draw(result: DriveResult, bag: Path, truth: Path, output: Path) -> list[Path]:
    """Draw the middle frame of the drive; returns the pictures, most telling first."""
    stamp = result.stamps[len(result.stamps) // 2]
    depth, image = result.depth(stamp), _image_of(bag, stamp)
    frame = read_times(truth / "times.txt").index(stamp)
    exact, labels = read_depth(depth_path(truth, frame)), result.labels(stamp)
    exact_labels = None if labels is None else read_labels(labels_path(truth, frame))
    K = np.reshape(read_calibration(truth / "calibration.json")["K"], (3, 3))
    shown = resize_image(image, *depth.shape).numpy()
    config = EvaluationConfig(median_scaling=False)
    compared = ComparedFrame(
        name="camera image", image=image, depth=depth, truth=exact, comparison=compare(exact, _finite(depth), config)
    )
    pictures = {
        "1_camera_depth_cloud.png": overview(
            shown,
            depth,
            result.intrinsics[stamp],
            "published by the live node",
            labels=labels,
            classes=result.classes,
        ),
        "2_against_exact_depth.png": comparison_picture(compared, config),
        "3_exact_depth_for_comparison.png": overview(
            image, exact, K, "exact depth", labels=exact_labels, classes=CITYSCAPES
        ),
    }
    paths = [output / name for name in pictures]
    for path, picture in zip(paths, pictures.values(), strict=True):
        write_image(path, picture)
    return paths


def write_index(path: Path, rows: Sequence[tuple[str, str]], pictures: list[Path]) -> None:
    """One page with the numbers, the pictures and what to do next; raises OutputError."""
    page = Page(
        title="depth_node demo",
        sentence=TITLE,
        tables=[PageTable("", (), rows)],
        pictures={picture.stem[2:].replace("_", " "): read_image(picture) for picture in pictures},
        commands=NEXT_STEPS,
    )
    write_page(path, page)


def _right_labels(result: DriveResult, truth: dict[int, Path]) -> float | None:
    """Share of the pixels of all label images whose class is that of the simulation."""
    if result.classes is None or result.classes.names != CITYSCAPES.names or not result.labelled:
        return None
    right = known = 0
    for stamp in result.labelled:
        labels = np.load(result.folder / "labels" / f"{stamp}.npy")
        exact = labels_at(read_labels(truth[stamp]), *labels.shape)
        right += int(np.count_nonzero(labels == exact))
        known += int(np.count_nonzero(exact != UNLABELLED))
    return right / max(known, 1)


def _finite(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Out-of-range pixels (+Inf) count as very far: the protocol clamps them to its cap."""
    return np.where(np.isposinf(depth), np.float32(1e4), depth)


def _image_of(bag: Path, stamp: int) -> NDArray[np.uint8]:
    with BagReader(bag) as reader:
        return next(image.rgb for image in reader.images(IMAGE_TOPIC) if image.stamp_ns == stamp)
