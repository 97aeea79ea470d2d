# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every encoding against a picture whose colours are known."""

from __future__ import annotations

import array
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from depth_node.camera.encodings import SUPPORTED, decode_compressed, decode_image, is_jpeg, orientation
from depth_node.errors import EncodingError

H, W = 6, 8
RGB = np.random.default_rng(0).integers(0, 256, (H, W, 3), np.uint8)
GREY = RGB[..., 0]
ALPHA = np.full((H, W, 1), 7, np.uint8)
INTERLEAVED = {
    "rgb8": RGB,
    "bgr8": RGB[..., ::-1],
    "8UC3": RGB[..., ::-1],
    "rgba8": np.concatenate([RGB, ALPHA], 2),
    "bgra8": np.concatenate([RGB[..., ::-1], ALPHA], 2),
    "8UC4": np.concatenate([RGB[..., ::-1], ALPHA], 2),
}
ONE_CHANNEL = ("mono8", "8UC1")
SIXTEEN_BITS = {"rgb16": RGB, "bgr16": RGB[..., ::-1], "16UC3": RGB[..., ::-1], "rgba16": INTERLEAVED["rgba8"]}
SIXTEEN_BITS |= {"bgra16": INTERLEAVED["bgra8"], "16UC4": INTERLEAVED["bgra8"]}


def padded(pixels: np.ndarray, padding: int = 5) -> tuple[int, bytes]:
    """Step and bytes of an image whose rows end in rubbish."""
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(pixels.shape[0], -1)
    rubbish = np.full((rows.shape[0], padding), 255, np.uint8)
    return rows.shape[1] + padding, np.hstack([rows, rubbish]).tobytes()


@pytest.mark.parametrize("encoding", INTERLEAVED)
@pytest.mark.parametrize("padding", [0, 5])
def test_interleaved_colour_is_exact(encoding, padding):
    step, data = padded(INTERLEAVED[encoding], padding)
    image = decode_image(H, W, encoding, step, False, data)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, RGB)


@pytest.mark.parametrize("encoding", ONE_CHANNEL)
def test_grey_is_repeated(encoding):
    step, data = padded(GREY)
    np.testing.assert_array_equal(decode_image(H, W, encoding, step, False, data), np.dstack([GREY] * 3))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("encoding", [*SIXTEEN_BITS, "mono16", "16UC1"])
def test_sixteen_bits_keep_the_high_byte_in_either_byte_order(encoding, big):
    expected = RGB if encoding in SIXTEEN_BITS else np.dstack([GREY] * 3)
    high = SIXTEEN_BITS.get(encoding, GREY).astype(np.uint16)
    step, data = padded((high * 256 + 99).astype(">u2" if big else "<u2"), padding=6)
    image = decode_image(H, W, encoding, step, big, data)
    np.testing.assert_array_equal(image, expected)
    assert image.flags.c_contiguous


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_mosaic_gives_back_its_colours(pattern, bits):
    colour = np.array([200, 120, 40], np.uint8)  # red, green and blue differ, so that a swap shows
    at = ["rgb".index(letter) for letter in pattern]
    mosaic = np.tile(colour[np.array(at).reshape(2, 2)], (8, 8))
    data = mosaic if bits == 8 else (mosaic.astype("<u2") * 256 + 3)
    image = decode_image(16, 16, f"bayer_{pattern}{bits}", 16 * bits // 8, False, data.tobytes())
    np.testing.assert_array_equal(image, np.broadcast_to(colour, (16, 16, 3)))


def smooth_picture() -> np.ndarray:
    """(16, 24, 3) RGB without detail that shared colour would lose."""
    y, x = np.mgrid[0:16, 0:24]
    return np.stack([60 + 6 * x, 200 - 5 * x, 80 + 7 * y], 2).astype(np.uint8)


def planes_of(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Full-size Y and half-size U, V by OpenCV's own forward conversion."""
    planar = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    (h, w), half = rgb.shape[:2], rgb.shape[0] // 2 * rgb.shape[1] // 2
    flat = planar.ravel()
    y = flat[: h * w].reshape(h, w)
    u, v = (flat[h * w + i * half : h * w + (i + 1) * half].reshape(h // 2, w // 2) for i in (0, 1))
    return y, u, v


@pytest.mark.parametrize("encoding", ["yuv422", "uyvy", "yuv422_yuy2", "yuyv", "nv12", "nv21"])
def test_yuv_round_trip(encoding):
    rgb = smooth_picture()
    h, w = rgb.shape[:2]
    y, u, v = planes_of(rgb)
    if encoding.startswith("nv"):
        chroma = np.dstack([u, v] if encoding == "nv12" else [v, u]).reshape(h // 2, w)
        packed = np.vstack([y, chroma])
    else:
        chroma = np.dstack([u, v]).repeat(2, axis=0).reshape(h, w)
        packed = np.dstack([chroma, y] if encoding in ("yuv422", "uyvy") else [y, chroma])
    step, data = padded(packed, padding=4)
    image = decode_image(h, w, encoding, step, False, data)
    assert image.shape == rgb.shape
    assert np.abs(image.astype(int) - rgb).max() <= 12  # colour is shared by 2x2 pixels of a ramp


def test_rgb8_is_not_copied():
    data = RGB.ravel().copy()
    image = decode_image(H, W, "rgb8", W * 3, False, data)
    assert np.shares_memory(image, data)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda b: array.array("B", b)])
def test_any_buffer_will_do(kind):
    np.testing.assert_array_equal(decode_image(H, W, "bgr8", W * 3, False, kind(RGB.tobytes())), RGB[..., ::-1])


def test_last_row_may_lack_its_padding():
    step, data = padded(RGB)
    np.testing.assert_array_equal(decode_image(H, W, "rgb8", step, False, data[:-5]), RGB)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((H, W, "rgb9", W * 3, False, RGB.tobytes()), "'rgb9' is not supported: use one of rgb8, bgr8"),
        ((H, W, "rgb8", W * 3 - 1, False, RGB.tobytes()), "step is 23 bytes, but a row needs 24"),
        ((H, W, "rgb8", W * 3, False, RGB.tobytes()[:-1]), "has 143 bytes, but 6 rows of 24 need 144"),
        ((H, W, "rgb8", W * 3, False, RGB.tobytes() + b"x"), "has 145 bytes"),
        ((2**31, W, "rgb8", W * 3, False, b""), "has 0 bytes"),
        ((0, W, "rgb8", W * 3, False, b""), "empty"),
        ((1, 7, "yuv422", 14, False, bytes(14)), "width 7 is odd"),
        ((3, 4, "nv12", 4, False, bytes(16)), "4x3 is odd"),
        ((2, 2, "bayer_rggb8", 2, False, bytes(4)), "too small"),
    ],
)
def test_wrong_fields_say_what_is_wrong(fields, message):
    with pytest.raises(EncodingError, match=message):
        decode_image(*fields)


def test_no_encoding_is_untested():
    bayer = {f"bayer_{pattern}{bits}" for pattern in ("rggb", "bggr", "gbrg", "grbg") for bits in (8, 16)}
    yuv = {"yuv422", "uyvy", "yuv422_yuy2", "yuyv", "nv12", "nv21"}
    assert set(SUPPORTED) == {*INTERLEAVED, *ONE_CHANNEL, *SIXTEEN_BITS, "mono16", "16UC1", *bayer, *yuv}


def encode(suffix: str, image: np.ndarray) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def test_compressed_png_is_exact():
    np.testing.assert_array_equal(decode_compressed(encode(".png", RGB[..., ::-1]), "rgb8; png compressed bgr8"), RGB)


@pytest.mark.parametrize("image", [GREY, GREY.astype(np.uint16) * 256 + 1, np.dstack([GREY, GREY, GREY, ALPHA])])
def test_compressed_grey_16_bit_and_alpha(image):
    np.testing.assert_array_equal(decode_compressed(encode(".png", image)), np.dstack([GREY] * 3))


def test_compressed_mosaic_is_demosaiced():
    mosaic = np.tile(np.array([[200, 120], [120, 40]], np.uint8), (8, 8))
    image = decode_compressed(encode(".png", mosaic), "bayer_rggb8; png compressed ")
    np.testing.assert_array_equal(image[8, 8], [200, 120, 40])


def test_compressed_jpeg_is_near():
    picture = smooth_picture()
    data = encode(".jpg", picture[..., ::-1])
    assert is_jpeg(np.frombuffer(data, np.uint8))
    assert np.abs(decode_compressed(data).astype(int) - picture).mean() < 4


@pytest.mark.parametrize("keep", [0, 2, 100, -10])
def test_cut_jpeg_is_refused(keep):
    with pytest.raises(EncodingError):
        decode_compressed(encode(".jpg", RGB)[:keep], "jpeg")


@pytest.mark.parametrize("padding", [bytes(63), bytes(5000), b"\xff" * 64, np.random.default_rng(1).bytes(4096)])
def test_whatever_lies_behind_the_end_of_a_jpeg_does_not_matter(padding):
    data = encode(".jpg", smooth_picture())
    np.testing.assert_array_equal(decode_compressed(data + padding), decode_compressed(data))


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture():
    data, thumbnail = encode(".jpg", smooth_picture()), encode(".jpg", RGB)
    whole = data[:2] + b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail + data[2:]
    np.testing.assert_array_equal(decode_compressed(whole), decode_compressed(data))
    with pytest.raises(EncodingError, match="cut off"):
        decode_compressed(whole[:-30])


@pytest.mark.parametrize("turn", [1, 3, 6])
def test_the_orientation_of_a_jpeg(turn):
    picture = Image.fromarray(RGB)
    exif = Image.Exif()
    exif[0x0112] = turn
    stream = io.BytesIO()
    picture.save(stream, "JPEG", exif=exif)
    assert orientation(stream.getvalue()) == turn
    assert decode_compressed(stream.getvalue()).shape == RGB.shape  # as it is stored
    assert orientation(stream.getvalue()[:60]) == 1
    assert orientation(cv2.imencode(".jpg", RGB)[1]) == 1


@pytest.mark.parametrize(
    ("format", "words"),
    [
        ("h264", "a piece of a h264 video"),
        ("hevc;bgr8", "a piece of a hevc video"),
        ("32FC1; compressedDepth png", "is a depth image"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(format, words):
    with pytest.raises(EncodingError, match=words):
        decode_compressed(b"\0\0\0\1", format)
