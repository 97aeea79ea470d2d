# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""ROS image messages to RGB pictures: every encoding of `sensor_msgs/image_encodings` that a camera sends.

Sixteen-bit pictures keep the upper eight of the bits in use. Rows may be padded (`step`), nothing is copied where the
bytes already are RGB. 8UC3 and friends carry no colour meaning; they are taken as OpenCV's order (BGR), as cv_bridge
does.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.camera.bit_depth import FULL, BitDepth
from depth_node.errors import EncodingError

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class PixelLayout:
    """How one pixel lies in memory: channels, bytes per channel, OpenCV's conversion to RGB (None: it is RGB)."""

    channels: int
    bytes: int
    conversion: int | None


# ROS names a Bayer pattern by the first four pixels read row by row; OpenCV's short names shift by one pixel,
# its four-letter aliases used here do not.
_BAYER = {
    "rggb": cv2.COLOR_BayerRGGB2RGB,
    "bggr": cv2.COLOR_BayerBGGR2RGB,
    "gbrg": cv2.COLOR_BayerGBRG2RGB,
    "grbg": cv2.COLOR_BayerGRBG2RGB,
}
_COLOURS: dict[str, tuple[int, int | None]] = {
    "rgb": (3, None),
    "bgr": (3, cv2.COLOR_BGR2RGB),
    "rgba": (4, cv2.COLOR_RGBA2RGB),
    "bgra": (4, cv2.COLOR_BGRA2RGB),
    "mono": (1, cv2.COLOR_GRAY2RGB),
    **{f"bayer_{pattern}": (1, code) for pattern, code in _BAYER.items()},
}
_OPENCV_TYPES = {"UC1": _COLOURS["mono"], "UC3": _COLOURS["bgr"], "UC4": _COLOURS["bgra"]}
_UYVY = PixelLayout(2, 1, cv2.COLOR_YUV2RGB_UYVY)
_YUYV = PixelLayout(2, 1, cv2.COLOR_YUV2RGB_YUYV)
INTERLEAVED: dict[str, PixelLayout] = {
    **{f"{name}{8 * size}": PixelLayout(c, size, code) for size in (1, 2) for name, (c, code) in _COLOURS.items()},
    **{f"{8 * size}{kind}": PixelLayout(c, size, code) for size in (1, 2) for kind, (c, code) in _OPENCV_TYPES.items()},
    "yuv422": _UYVY,
    "uyvy": _UYVY,
    "yuv422_yuy2": _YUYV,
    "yuyv": _YUYV,
}
"""Encodings with all channels of a pixel together."""

PLANAR = {"nv12": cv2.COLOR_YUV2RGB_NV12, "nv21": cv2.COLOR_YUV2RGB_NV21}
"""Encodings with a full-size brightness plane above a half-size colour plane."""

VIDEO = ("h264", "h265", "hevc", "av1", "vp8", "vp9", "mpeg4", "theora")
"""What the format of a compressed image says where it is part of a stream."""

SUPPORTED = (*INTERLEAVED, *PLANAR)


def decode_image(
    height: int, width: int, encoding: str, step: int, is_bigendian: bool, data: Any, depth: BitDepth = FULL
) -> Image:
    """Decode the fields of a `sensor_msgs/Image`.

    Args:
        height: rows of the picture.
        width: columns of the picture.
        encoding: one of `SUPPORTED`.
        step: bytes from one row to the next.
        is_bigendian: byte order of 16-bit channels.
        data: any buffer of bytes (bytes, array, memoryview, (N,) uint8).
        depth: the bits in use of 16-bit channels.

    Returns:
        (H, W, 3) uint8 RGB; for rgb8 a read-only or shared view of `data`.

    Raises:
        EncodingError: the encoding is unknown, or size, step and data do not fit together.
    """
    if min(height, width) < 1:
        raise EncodingError(f"image of {width}x{height} pixels is empty")
    buffer = np.frombuffer(data, np.uint8)
    if encoding in PLANAR:
        return _decode_planar(height, width, encoding, step, buffer)
    if encoding not in INTERLEAVED:
        raise EncodingError(f"image encoding '{encoding}' is not supported: use one of {', '.join(SUPPORTED)}")
    layout = INTERLEAVED[encoding]
    _check_size(height, width * layout.channels * layout.bytes, encoding, step, buffer)
    pixels: NDArray[Any] = np.ndarray(
        shape=(height, width, layout.channels),
        dtype=np.uint8 if layout.bytes == 1 else ">u2" if is_bigendian else "<u2",
        buffer=buffer,
        strides=(step, layout.channels * layout.bytes, layout.bytes),
    )
    return _convert(pixels if layout.bytes == 1 else depth.to_bytes(pixels), layout, encoding)


def _check_size(rows: int, row_bytes: int, encoding: str, step: int, buffer: Image) -> None:
    if step < row_bytes:
        raise EncodingError(f"{encoding} image: step is {step} bytes, but a row needs {row_bytes}")
    least, most = step * (rows - 1) + row_bytes, step * rows  # some drivers leave out the last row's padding
    if not least <= buffer.size <= most:
        raise EncodingError(f"{encoding} image: data has {buffer.size} bytes, but {rows} rows of {step} need {most}")


def _convert(pixels: Image, layout: PixelLayout, encoding: str) -> Image:
    if layout.conversion is None:
        return pixels if layout.bytes == 1 else np.ascontiguousarray(pixels)
    if encoding.startswith("bayer") and min(pixels.shape[:2]) < 3:
        raise EncodingError(f"{encoding} image: {pixels.shape[1]}x{pixels.shape[0]} is too small for a Bayer pattern")
    if layout.channels == 2 and pixels.shape[1] % 2:
        raise EncodingError(f"{encoding} image: width {pixels.shape[1]} is odd, but two pixels share their colour")
    source = pixels[..., 0] if layout.channels == 1 else pixels
    return np.asarray(cv2.cvtColor(source, layout.conversion), np.uint8)


def _decode_planar(height: int, width: int, encoding: str, step: int, buffer: Image) -> Image:
    if height % 2 or width % 2:
        raise EncodingError(f"{encoding} image: {width}x{height} is odd, but four pixels share their colour")
    rows = height + height // 2
    _check_size(rows, width, encoding, step, buffer)
    planes: Image = np.ndarray((rows, width), np.uint8, buffer, strides=(step, 1))
    colour = planes[height:].reshape(height // 2, width // 2, 2)
    return np.asarray(cv2.cvtColorTwoPlane(planes[:height], colour, PLANAR[encoding]), np.uint8)


def decode_compressed(data: Any, format: str = "", depth: BitDepth = FULL) -> Image:
    """Decode the fields of a `sensor_msgs/CompressedImage` (JPEG, PNG and what else OpenCV reads).

    Args:
        data: any buffer of bytes.
        format: the message's format; 'bayer_...' at its front says that the picture is a raw mosaic.
        depth: the bits in use of 16-bit pictures.

    Returns:
        (H, W, 3) uint8 RGB. The orientation tag is ignored, as calibration knows nothing of it.

    Raises:
        EncodingError: the data is no picture or is cut off.
    """
    buffer = np.frombuffer(data, np.uint8)
    if video := next((name for name in VIDEO if name in format.lower()), ""):
        raise EncodingError(
            f"compressed image is a piece of a {video} video ('{format}'), no picture: have it decoded first "
            "(ros2 run image_transport republish --ros-args -p in_transport:=ffmpeg -p out_transport:=raw)"
        )
    if "compresseddepth" in format.lower():
        raise EncodingError(f"compressed image is a depth image ('{format}'): name the topic of the camera's pictures")
    if is_jpeg(buffer) and not _ends_like_jpeg(buffer):
        raise EncodingError(f"compressed image is a JPEG that was cut off after {buffer.size} bytes")
    try:
        image = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED) if buffer.size else None
    except cv2.error:
        image = None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise EncodingError(f"compressed image (format '{format}', {buffer.size} bytes) is no readable picture")
    if image.dtype == np.uint16:
        image = depth.to_bytes(np.asarray(image, np.uint16))
    height, width = image.shape[:2]
    channels = image.shape[2] if image.ndim == 3 else 1
    encoding = "8UC4" if channels == 4 else "8UC3" if channels == 3 else _mosaic(format) or "8UC1"
    return decode_image(height, width, encoding, width * channels, False, image)


def has_sixteen_bits(encoding: str, data: Any) -> bool:
    """Whether a picture has 16 bits a channel: by its encoding or, where that is empty, by a PNG's header."""
    if encoding:
        return encoding in INTERLEAVED and INTERLEAVED[encoding].bytes == 2
    head = bytes(data[:25])
    return head.startswith(b"\x89PNG") and head[24:] == b"\x10"


def _mosaic(format: str) -> str:
    """The encoding of a raw mosaic that was compressed as a grey picture ('bayer_rggb8; jpeg compressed')."""
    name = format.partition(";")[0].strip()
    return f"{name[:10]}8" if name.startswith("bayer_") else ""


def is_jpeg(data: Sequence[int] | Image) -> bool:
    """Whether a buffer starts like a JPEG file."""
    return bytes(data[:3]) == b"\xff\xd8\xff"


UPRIGHT = 1
"""EXIF's number for a picture that is stored as it is to be seen."""


def orientation(data: Any) -> int:
    """EXIF's number for how a picture file is to be turned before it is seen; `UPRIGHT` where it does not say."""
    head = memoryview(data).cast("B")
    if b"Exif" not in bytes(head[:HEAD]):  # most cameras write none, and looking costs
        return UPRIGHT
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(head)) as picture:
            return int(picture.getexif().get(ORIENTATION, UPRIGHT))
    except (OSError, ValueError, TypeError, SyntaxError):
        return UPRIGHT


HEAD, ORIENTATION = 4096, 0x0112
"""Bytes among which a picture's EXIF data begin, and their tag for the orientation."""


_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
"""A JPEG marker that is no restart (D0 to D7) and no stuffed byte of coded data (ITU-T T.81, B.1.1)."""


def _ends_like_jpeg(buffer: Image) -> bool:
    """Whether a JPEG has its end marker; OpenCV fills the missing part of a cut one with grey.

    Cameras pad behind the marker, with rubbish too. A thumbnail in the header has an end marker of its own, so that
    segments are stepped over by their length.
    """
    data, position = buffer.data, 2
    while found := _MARKER.search(data, position):
        if found[1] == b"\xd9":
            return True
        position = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return False
