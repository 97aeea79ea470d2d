# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is drawn is read back from a file by rerun's own reader."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rerun", reason="rerun is not installed: pip install 'depth_node[view]'")
import rerun as rr
from rerun.chunk import RrdReader

from depth_node.config.classes import CITYSCAPES
from depth_node.ros.view.rerun_scene import FRAME, STAMP, Scene, thinned

POINT = np.dtype([("x", "f4"), ("y", "f4"), ("z", "f4"), ("rgb", "f4"), ("label", "u1")])
K = np.array([[100.0, 0, 4], [0, 100, 3], [0, 0, 1]])


@pytest.fixture
def drawn(tmp_path):
    """Draws with a function, and returns what the file then has: column by entity and name, one row each."""

    def draw(with_scene, most=10_000):
        path = tmp_path / "drawn.rrd"
        recording = rr.RecordingStream("test")
        recording.save(path)
        scene = Scene([recording], most)
        with_scene(scene)
        recording.flush()
        recording.disconnect()
        columns = {}
        for chunk in RrdReader(path).stream():
            batch = chunk.to_record_batch()
            for name in batch.schema.names:
                rows = batch.column(name).to_pylist()
                columns.setdefault((chunk.entity_path, name), []).extend(rows)
        return columns, path

    return draw


def cloud(height, width):
    points = np.zeros((height, width), POINT)
    rows, columns = np.mgrid[:height, :width]
    points["x"], points["y"], points["z"] = columns, rows, 1 + columns * rows
    points["rgb"] = (0x102030 + columns).astype(np.uint32).view(np.float32)
    return points


def buffer(columns, entity, kind, dtype):
    ((values,),) = columns[entity, f"{kind}:buffer"]
    return np.array(values, np.uint8).view(dtype)


def test_depth_and_labels_come_back_to_the_bit(drawn):
    depth = np.linspace(0.5, 90, 48, dtype=np.float32).reshape(6, 8)
    depth[0, :3] = np.nan, np.inf, -np.inf
    labels = np.arange(48, dtype=np.uint8).reshape(6, 8)

    def draw(scene):
        scene.start_frame(7, 1_700_000_000_123_456_789)
        scene.depth("front", depth, 40.0)
        scene.labels("front", labels)
        scene.image("front", np.repeat(labels[..., None], 3, -1))

    columns, _ = drawn(draw)
    read = buffer(columns, "/front/pinhole/depth", "DepthImage", np.float32)
    assert read.tobytes() == depth.tobytes()
    assert buffer(columns, "/front/pinhole/classes", "SegmentationImage", np.uint8).tobytes() == labels.tobytes()
    assert columns["/front/pinhole/depth", "DepthImage:meter"] == [[1.0]]
    assert columns["/front/pinhole/depth", FRAME] == [7]
    (stamp,) = columns["/front/pinhole/depth", STAMP]
    assert getattr(stamp, "value", stamp) == 1_700_000_000_123_456_789


def test_points_come_back_with_their_colours_and_without_holes(drawn):
    points = cloud(4, 5)
    points["z"][1, 2], points["x"][3, 3] = np.nan, np.inf
    columns, _ = drawn(lambda scene: scene.points("front", points))
    there = np.isfinite(points["z"]) & np.isfinite(points["x"])
    (positions,) = columns["/front/points", "Points3D:positions"]
    np.testing.assert_array_equal(positions, np.stack([points[axis] for axis in "xyz"], -1)[there])
    (colors,) = columns["/front/points", "Points3D:colors"]
    wanted = (points["rgb"].view(np.uint32).astype(np.int64)[there] << 8) + 255
    np.testing.assert_array_equal(colors, wanted)


@pytest.mark.parametrize("shape", [(20, 30), (1, 600)])
def test_large_clouds_are_thinned(shape):
    points = cloud(*shape)
    kept = thinned(points, 150)
    assert 75 <= kept.size <= 150
    assert np.isin(kept, points).all()
    assert thinned(points, 600).size == 600


def test_classes_are_explained_and_the_camera_has_its_lens(drawn):
    def draw(scene):
        scene.add_camera("front/left")
        scene.classes("front/left", CITYSCAPES)
        scene.calibration("front/left", K, 8, 6)
        scene.state("**fine**")
        scene.state("**fine**")

    columns, path = drawn(draw)
    ((context,),) = [columns["/front/left", "AnnotationContext:context"]]
    names = {entry["class_id"]: entry["class_description"]["info"]["label"] for entry in context[0]}
    assert names == {**dict(enumerate(CITYSCAPES.names)), 255: "unlabelled"}
    ((matrix,),) = columns["/front/left/pinhole", "Pinhole:image_from_camera"]
    np.testing.assert_allclose(np.reshape(matrix, (3, 3)).T, K)
    assert columns["/state", "TextDocument:text"] == [["**fine**"]]  # once: nothing was new
    assert RrdReader(path).blueprints()
