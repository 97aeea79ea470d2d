# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Arrays to ROS messages and back: the one place that chooses between ROS's conversion libraries and NumPy.

`cv_bridge` and `sensor_msgs_py` are used where a ROS installation has them, for what they do well; the pip wheels lack
both, and there `depth_node.data` does the same. Building always goes through `fill`, one memcpy into the message:
assigning bytes to a uint8[] field would check or copy each byte (rosidl_python, ROS_PYTHON_CHECK_FIELDS).
"""

from __future__ import annotations

import sys
from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2, PointField
from std_msgs.msg import Header

from depth_node.camera.bit_depth import FULL, BitDepth
from depth_node.camera.encodings import decode_compressed, decode_image

try:
    from cv_bridge import CvBridge
except (ImportError, AttributeError):  # absent, or a build that NumPy 2 breaks
    CvBridge = None
try:
    from sensor_msgs_py import point_cloud2
except ImportError:
    point_cloud2 = None

BRIDGE = None if CvBridge is None else CvBridge()
BRIDGED = ("rgb8", "bgr8", "rgba8", "bgra8", "mono8")
"""Encodings for which cv_bridge and `decode_image` agree to the bit; cv_bridge refuses or scales some of the others."""

POINT_FIELD_TYPES = {
    np.dtype(np.int8): PointField.INT8,
    np.dtype(np.uint8): PointField.UINT8,
    np.dtype(np.int16): PointField.INT16,
    np.dtype(np.uint16): PointField.UINT16,
    np.dtype(np.int32): PointField.INT32,
    np.dtype(np.uint32): PointField.UINT32,
    np.dtype(np.float32): PointField.FLOAT32,
    np.dtype(np.float64): PointField.FLOAT64,
}


def rgb_of(message: Image | CompressedImage, depth: BitDepth = FULL) -> NDArray[np.uint8]:
    """Decode an image message.

    Args:
        message: to decode.
        depth: the bits in use of 16-bit pictures.

    Returns:
        (H, W, 3) uint8 RGB, where possible a view of the message's own bytes.

    Raises:
        EncodingError: the encoding is not supported, or the data does not fit its header.
    """
    if isinstance(message, CompressedImage):
        return decode_compressed(message.data, message.format, depth)
    fits = message.step * message.height == len(message.data) > 0
    if BRIDGE is not None and message.encoding in BRIDGED and fits:
        return np.asarray(BRIDGE.imgmsg_to_cv2(message, "rgb8"), np.uint8)
    big = bool(message.is_bigendian)
    return decode_image(message.height, message.width, message.encoding, message.step, big, message.data, depth)


def points_of(message: PointCloud2) -> NDArray[np.void]:
    """Read a cloud without copying where its byte order is ours.

    Returns:
        (height, width) structured array with the message's own field names and offsets.
    """
    if point_cloud2 is not None:
        dtype = point_cloud2.dtype_from_fields(message.fields, point_step=message.point_step)
    else:
        kinds = {number: kind for kind, number in POINT_FIELD_TYPES.items()}
        dtype = np.dtype(
            {
                "names": [f.name for f in message.fields],
                "formats": [
                    (kinds[f.datatype], (f.count,)) if f.count > 1 else kinds[f.datatype] for f in message.fields
                ],
                "offsets": [f.offset for f in message.fields],
                "itemsize": message.point_step,
            }
        )
    if bool(message.is_bigendian) != (sys.byteorder == "big"):
        dtype = dtype.newbyteorder()
    strides = (message.row_step, message.point_step)
    return np.ndarray((message.height, message.width), dtype, message.data, strides=strides)


def depth_of(message: Image) -> NDArray[np.float32]:
    """Read a 32FC1 (metres) or 16UC1 (millimetres, 0 invalid) depth image.

    Returns:
        (H, W) float32 metres, NaN invalid; for 32FC1 a view of the message's bytes.
    """
    kind = np.dtype(np.float32 if message.encoding == "32FC1" else np.uint16)
    if bool(message.is_bigendian) != (sys.byteorder == "big"):
        kind = kind.newbyteorder()
    raw: NDArray[Any] = np.ndarray(
        (message.height, message.width), kind, message.data, strides=(message.step, kind.itemsize)
    )
    if message.encoding == "32FC1":
        return raw
    return np.where(raw == 0, np.float32(np.nan), raw * np.float32(1e-3))


def labels_of(message: Image) -> NDArray[np.uint8]:
    """Read an 8UC1 or mono8 image of class numbers: (H, W) uint8, a view of the message's bytes."""
    return np.ndarray((message.height, message.width), np.uint8, message.data, strides=(message.step, 1))


def fill(data: array[int], content: NDArray[Any]) -> None:
    """Put an array's bytes into the `data` field of a message; memory of equal size is used again."""
    source = np.ascontiguousarray(content).data.cast("B")
    if len(data) == source.nbytes:
        memoryview(data)[:] = source
    else:
        del data[:]
        data.frombytes(source)


def stamp_ns(header: Header) -> int:
    """When what a message tells was measured, ns."""
    return int(header.stamp.sec) * 10**9 + int(header.stamp.nanosec)


def fill_image(message: Image, header: Header, pixels: NDArray[Any], encoding: str) -> Image:
    """Make `message` the image of `pixels` ((H, W) or (H, W, C), native byte order)."""
    message.header = header
    message.height, message.width = pixels.shape[:2]
    message.encoding = encoding
    message.is_bigendian = int(sys.byteorder == "big")
    message.step = pixels.itemsize * int(np.prod(pixels.shape[1:]))
    fill(message.data, pixels)
    return message


def fill_cloud(message: PointCloud2, header: Header, points: NDArray[np.void], is_dense: bool) -> PointCloud2:
    """Make `message` the cloud of a (height, width) structured array; its padding becomes the message's padding."""
    message.header = header
    message.height, message.width = points.shape
    if len(message.fields) != len(points.dtype.names or ()):
        message.fields = _point_fields(points.dtype)
    message.is_bigendian = sys.byteorder == "big"
    message.point_step = points.itemsize
    message.row_step = points.itemsize * points.shape[1]
    message.is_dense = is_dense
    fill(message.data, points)
    return message


def _point_fields(kind: np.dtype[np.void]) -> list[PointField]:
    fields: Any = kind.fields or {}
    return [
        PointField(name=name, offset=int(about[1]), datatype=POINT_FIELD_TYPES[about[0]], count=1)
        for name, about in fields.items()
    ]


def pinhole_info(header: Header, K: NDArray[Any], width: int, height: int, translation: Any = (0, 0, 0)) -> CameraInfo:
    """The camera_info of a rectified image.

    Args:
        header: the image's.
        K: (3, 3) intrinsics, pixels of this image.
        width: pixels.
        height: pixels.
        translation: fourth column of P, pixels times metres; not 0 for the second camera of a stereo pair.
    """
    K = np.asarray(K, np.float64)
    return CameraInfo(
        header=header,
        width=width,
        height=height,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=K.ravel(),
        r=np.eye(3).ravel(),
        p=np.column_stack([K, np.asarray(translation, np.float64)]).ravel(),
    )
