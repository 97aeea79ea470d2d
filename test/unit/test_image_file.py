# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Images come back from their files as they were, and a file is whole or not there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from depth_node.errors import OutputError
from depth_node.image_file import encode_image, write_image

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def test_red_is_red_to_another_reader(tmp_path):
    write_image(tmp_path / "made/picture.png", RGB)
    with Image.open(tmp_path / "made/picture.png") as image:
        np.testing.assert_array_equal(np.asarray(image), RGB)
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["picture.png"]


@pytest.mark.parametrize(("dtype", "suffix"), [(np.uint8, ".png"), (np.uint16, ".png"), (np.float32, ".tiff")])
def test_one_channel_keeps_its_numbers(tmp_path, dtype, suffix):
    values = (np.arange(35).reshape(5, 7) * 7).astype(dtype)
    write_image(tmp_path / f"values{suffix}", values)
    read = cv2.imread(str(tmp_path / f"values{suffix}"), cv2.IMREAD_UNCHANGED)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, values)


def test_options_reach_the_writer():
    assert len(encode_image(RGB, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 10])) < len(encode_image(RGB, ".jpg"))


@pytest.mark.parametrize("suffix", [".xyz", ""])
def test_an_unknown_kind_of_file_is_one_line_and_leaves_nothing(tmp_path, suffix):
    with pytest.raises(OutputError, match=r"^cannot encode an image as '.*': this OpenCV"):
        write_image(tmp_path / f"picture{suffix}", RGB)
    assert list(tmp_path.iterdir()) == []
