# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a depth camera measured lies beside its pictures in metres, or is left out with the reason."""

from types import SimpleNamespace

import numpy as np
import pytest

from depth_node.camera.rectification import StoredCamera
from depth_node.config.evaluation import EvaluationConfig
from depth_node.config.record import RecordConfig
from depth_node.errors import BagError, EncodingError
from depth_node.evaluation.ground_truth import open_ground_truth
from depth_node.kitti.layout import KittiSequence
from depth_node.recording.manifest import read_manifest
from depth_node.recording.recorder import record
from depth_node.recording.sensors.depth_images import DepthImageWriter, read_depth_image

STAMP, STEP, H, W = 1_317_038_400_123_456_789, 100_000_000, 24, 32
METRES = np.linspace(0.5, 12.0, H * W, dtype=np.float32).reshape(H, W)
METRES[3, 4] = np.nan
NINE = (1.0,) * 9


def image(pixels, kind, **changes):
    content = {"height": H, "width": W, "encoding": kind, "is_bigendian": 0, "step": pixels.strides[0]}
    return SimpleNamespace(**(content | {"data": np.frombuffer(pixels.tobytes(), np.uint8)} | changes))


@pytest.mark.parametrize("order", ["<", ">"])
def test_millimetres_and_metres(order):
    millimetres = np.nan_to_num(METRES * 1000).round().astype(f"{order}u2")
    for found in (
        read_depth_image(image(millimetres, "16UC1", is_bigendian=order == ">")),
        read_depth_image(image(METRES.astype(f"{order}f4"), "32FC1", is_bigendian=order == ">")),
    ):
        np.testing.assert_allclose(found, METRES, atol=6e-4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"encoding": "rgb8"}, "no encoding of depth"), ({"data": np.zeros(9, np.uint8)}, "9 bytes do not fit")],
)
def test_what_is_no_depth_image_is_refused(changes, words):
    with pytest.raises(EncodingError, match=words):
        read_depth_image(image(METRES, "32FC1", **changes))


@pytest.fixture
def bag(tmp_path, bag_maker):
    """Colour and depth of one camera, the depth 20 ms late, one missing."""
    with bag_maker(tmp_path / "bag") as made:
        for index, picture in enumerate(np.random.default_rng(0).integers(0, 256, (12, H, W, 3), np.uint8)):
            stamp = STAMP + index * STEP
            made.image(stamp, picture, topic="/camera/color/image_raw")
            made.info(stamp, W, H, topic="/camera/color/camera_info")
            if index != 7:
                millimetres = np.nan_to_num((METRES + index) * 1000).round().astype("<u2")
                made.image(stamp + STEP // 5, millimetres, "16UC1", topic="/camera/aligned_depth_to_color/image_raw")
    return tmp_path / "bag"


CONFIG = RecordConfig(select="all", depth_topic="/camera/aligned_depth_to_color/image_raw")


def test_a_depth_camera_is_the_truth_of_its_pictures(bag, tmp_path):
    manifest = record([bag], tmp_path / "out", CONFIG)
    (drive,) = manifest.drives
    assert drive.side["depth"]["frames"] == 11
    assert drive.side["depth"]["frames_without"] == 1
    sequence = KittiSequence(tmp_path / "out" / drive.folder)
    truth = open_ground_truth(sequence, EvaluationConfig())
    assert [truth.has(index) for index in (6, 7, 8)] == [True, False, True]
    np.testing.assert_allclose(truth.read(5), METRES + 5, atol=1 / 256)
    assert read_manifest(tmp_path / "out/manifest.json") == manifest


def test_one_source_of_depth(bag, tmp_path):
    with pytest.raises(BagError, match="give one of them"):
        record([bag], tmp_path / "out", RecordConfig(depth_topic=CONFIG.depth_topic, lidar_topic="/lidar"))
    with pytest.raises(BagError, match="name uncompressed depth images"):
        record(
            [bag],
            tmp_path / "out",
            RecordConfig(image_topic=CONFIG.depth_topic, depth_topic="/camera/color/camera_info"),
        )


@pytest.mark.parametrize(
    ("camera", "words"),
    [
        (
            StoredCamera("camera", W // 2, H, (1.0,) * 9, (1.0,) * 9),
            "depth images of 32x24 are left out: pictures are 16x24",
        ),
        (
            StoredCamera("camera", W, H, (1.0,) * 9, (1.0,) * 9, True),
            "the pictures' distortion was removed, not theirs",
        ),
    ],
)
def test_pixels_that_are_not_the_cameras_are_left_out(tmp_path, camera, words):
    writer = DepthImageWriter("/depth", tmp_path / "spill", 0.05)
    writer.add("/depth", image(METRES, "32FC1"), STAMP)
    writer.add("/depth", image(METRES, "rgb8"), STAMP)
    found = writer.finish(tmp_path / "drive", [SimpleNamespace(index=0, stamp_ns=STAMP)], camera)
    assert found["frames"] == 0
    assert words in found["notes"][0]
    assert "1 depth images cannot be read" in found["notes"][1]
    assert not (tmp_path / "drive").exists()
