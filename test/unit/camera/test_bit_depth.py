# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of sensors with 10, 12 and 14 bits are as bright as those of 8 and of 16."""

import cv2
import numpy as np
import pytest

from depth_node.camera.bit_depth import BitDepth
from depth_node.camera.encodings import decode_compressed, decode_image, has_sixteen_bits

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8), np.uint8)
PIXELS[0, 0] = 255


def in_bits(bits, pixels=PIXELS):
    """The picture as a sensor of so many bits has it: at the low end of 16, with random lower bits."""
    noise = np.random.default_rng(1).integers(0, 1 << (bits - 8), pixels.shape) if bits > 8 else 0
    return ((pixels.astype(np.uint16) << (bits - 8)) + noise).astype("<u2")


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("encoding", ["mono16", "bayer_rggb16"])
def test_the_bits_in_use_make_the_picture(bits, encoding):
    expected = decode_image(6, 8, encoding.replace("16", "8"), 8, False, PIXELS)
    found = decode_image(6, 8, encoding, 16, False, in_bits(bits), BitDepth())
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(decode_image(6, 8, encoding, 16, False, in_bits(bits), BitDepth(bits)), expected)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_png_of_sixteen_bits(bits):
    data = cv2.imencode(".png", in_bits(bits).astype(np.uint16))[1]
    np.testing.assert_array_equal(decode_compressed(data, "png", BitDepth())[..., 0], PIXELS)
    assert has_sixteen_bits("", data)
    assert not has_sixteen_bits("", cv2.imencode(".png", PIXELS)[1])


def test_brightness_rises_in_steps_and_never_falls():
    depth, dark = BitDepth(), in_bits(12, PIXELS // 8)  # at most 511 of 4095
    assert decode_image(6, 8, "mono16", 16, False, dark, depth).max() == int(dark.max()) // 4  # as of 10 bits
    assert decode_image(6, 8, "mono16", 16, False, in_bits(12), depth).max() == 255
    assert decode_image(6, 8, "mono16", 16, False, dark, depth).max() == 255 // 8
    assert depth.bits == 12


def test_what_is_brighter_than_the_set_bits_is_white():
    found = decode_image(6, 8, "mono16", 16, False, in_bits(14), BitDepth(12))[..., 0]
    np.testing.assert_array_equal(found == 255, in_bits(14) >= 4080)


def test_encodings_tell_their_bits():
    assert has_sixteen_bits("mono16", b"")
    assert not has_sixteen_bits("mono8", b"")
    assert not has_sixteen_bits("nv12", b"")
