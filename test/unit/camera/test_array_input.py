# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from depth_node.camera.array_input import resize_array, to_network_array
from depth_node.camera.network_input import resize_image, to_network_input
from depth_node.errors import EncodingError

IMAGE = np.random.default_rng(0).integers(0, 256, (75, 124, 3), np.uint8)


@pytest.mark.parametrize("size", [(75, 124), (32, 64), (19, 200), (150, 300)])
@pytest.mark.parametrize("image", [IMAGE, IMAGE[..., ::-1], IMAGE[5:70, 10:90]], ids=["whole", "bgr", "part"])
def test_it_resizes_as_pytorch_does_but_for_rounding(image, size):
    found, expected = resize_array(image, *size), resize_image(np.ascontiguousarray(image), *size).numpy()
    assert found.shape == (*size, 3)
    assert found.dtype == np.uint8
    difference = found.astype(int) - expected
    assert np.abs(difference).max() <= 1
    assert abs(difference.mean()) < 0.05


def test_the_input_is_the_same():
    found = to_network_array(IMAGE)
    assert found.flags.c_contiguous
    assert torch.equal(torch.from_numpy(found), to_network_input(torch.from_numpy(IMAGE))[None])


@pytest.mark.parametrize("wrong", [IMAGE[..., 0], IMAGE.astype(np.float32), IMAGE[..., :2]])
def test_no_picture_is_said(wrong):
    with pytest.raises(EncodingError, match="expected an H x W x 3 uint8 image"):
        resize_array(wrong, 8, 8)
