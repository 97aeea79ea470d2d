# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
import cv2
from sensor_msgs.msg import CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from depth_node.camera.encodings import decode_image
from depth_node.errors import EncodingError
from depth_node.inference.pointcloud import CLOUD_DTYPE, LABELLED_CLOUD_DTYPE
from depth_node.ros import messages

HEADER = Header(frame_id="camera_optical_frame")
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("kind", [np.float32, np.uint16])
def test_a_depth_image_comes_back(kind):
    depth = (RANDOM.random((5, 7)) * 100).astype(kind)
    encoding = {np.float32: "32FC1", np.uint16: "16UC1"}[kind]
    image = messages.fill_image(Image(), HEADER, depth, encoding)
    assert (image.height, image.width, image.step, len(image.data)) == (5, 7, 7 * depth.itemsize, depth.nbytes)
    wanted = depth if kind is np.float32 else np.where(depth == 0, np.nan, depth / 1000.0)
    np.testing.assert_allclose(messages.depth_of(image), wanted, rtol=1e-6)


def test_a_message_of_equal_size_keeps_its_memory():
    image = messages.fill_image(Image(), HEADER, np.zeros((4, 6), np.float32), "32FC1")
    address = image.data.buffer_info()
    messages.fill_image(image, HEADER, np.ones((4, 6), np.float32), "32FC1")
    assert image.data.buffer_info() == address
    assert (messages.depth_of(image) == 1).all()
    messages.fill_image(image, HEADER, np.ones((2, 6), np.float32), "32FC1")
    assert len(image.data) == 48


def test_non_contiguous_pixels_are_packed():
    rgb = RANDOM.integers(0, 255, (4, 6, 3), np.uint8)
    image = messages.fill_image(Image(), HEADER, rgb[..., ::-1], "bgr8")
    assert image.step == 18
    np.testing.assert_array_equal(messages.rgb_of(image), rgb)


@pytest.mark.parametrize("encoding", messages.BRIDGED)
def test_both_ways_of_decoding_agree(encoding):
    if messages.CvBridge is None:
        pytest.skip("cv_bridge is not installed: only our own decoding exists here")
    channels = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}[encoding]
    pixels = RANDOM.integers(0, 255, (6, 8, channels), np.uint8)
    image = messages.fill_image(Image(), HEADER, pixels, encoding)
    np.testing.assert_array_equal(messages.rgb_of(image), decode_image(6, 8, encoding, image.step, False, image.data))


def test_received_pixels_are_not_copied():
    image = messages.fill_image(Image(), HEADER, RANDOM.integers(0, 255, (4, 6, 3), np.uint8), "rgb8")
    if messages.CvBridge is None:
        assert np.shares_memory(messages.rgb_of(image), np.frombuffer(image.data, np.uint8))


def test_a_compressed_image_is_decoded():
    rgb = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    data = cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()
    np.testing.assert_array_equal(messages.rgb_of(CompressedImage(format="png", data=data)), rgb)


def test_an_unknown_encoding_is_named():
    image = messages.fill_image(Image(), HEADER, np.zeros((4, 6), np.uint8), "thermal7")
    with pytest.raises(EncodingError, match="thermal7"):
        messages.rgb_of(image)


@pytest.mark.parametrize("kind", [CLOUD_DTYPE, LABELLED_CLOUD_DTYPE], ids=["plain", "labelled"])
def test_a_cloud_comes_back(kind):
    points = np.zeros((3, 4), kind)
    for name in kind.names:
        points[name] = RANDOM.integers(0, 100, (3, 4))
    cloud = messages.fill_cloud(PointCloud2(), HEADER, points, is_dense=False)
    assert (cloud.height, cloud.width, cloud.point_step, cloud.row_step) == (3, 4, kind.itemsize, 4 * kind.itemsize)
    assert [field.name for field in cloud.fields] == list(kind.names)
    read = messages.points_of(cloud)
    for name in kind.names:
        np.testing.assert_array_equal(read[name], points[name])


def test_the_info_of_a_rectified_image():
    K = np.array([[200.0, 0, 99.5], [0, 210, 49.5], [0, 0, 1]])
    info = messages.pinhole_info(HEADER, K, 200, 100, (-20.0, 0, 0))
    np.testing.assert_array_equal(np.reshape(info.k, (3, 3)), K)
    np.testing.assert_array_equal(np.reshape(info.p, (3, 4)), np.column_stack([K, (-20, 0, 0)]))
    assert not any(info.d)
    assert (info.binning_x, info.roi.width, info.roi.do_rectify) == (0, 0, False)
