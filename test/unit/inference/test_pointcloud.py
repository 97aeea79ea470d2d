# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Clouds: exact back-projection of what is published, and the memory layout of PointCloud2."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from depth_node.geometry.warp import backproject
from depth_node.inference.pointcloud import CLOUD_DTYPE, LABELLED_CLOUD_DTYPE, drop_missing
from depth_node.inference.tensor_prediction import CloudPacker, apply_range

HEIGHT, WIDTH = 24, 36
K = np.array([[31.5, 0, 17.25], [0, 33.0, 11.5], [0, 0, 1]])


@pytest.fixture
def scene():
    """Depth [m], image and labels."""
    generator = torch.Generator().manual_seed(0)
    depth = 1.0 + 60.0 * torch.rand(HEIGHT, WIDTH, generator=generator)
    image = torch.randint(0, 256, (HEIGHT, WIDTH, 3), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, 19, (HEIGHT, WIDTH), generator=generator, dtype=torch.uint8)
    return depth, image, labels


def xyz(cloud):
    return np.stack([cloud["x"], cloud["y"], cloud["z"]])


def test_cloud_is_the_depth_back_projected(scene):
    depth, image, _ = scene
    points = xyz(CloudPacker(HEIGHT, WIDTH, K).pack(depth, image))
    expected = backproject(depth[None, None].double(), torch.from_numpy(K)[None])[0].numpy()
    np.testing.assert_allclose(points, expected, rtol=1e-6, atol=1e-6)


def test_projecting_the_cloud_gives_its_pixels(scene):
    depth, image, _ = scene
    x, y, z = xyz(CloudPacker(HEIGHT, WIDTH, K).pack(depth, image)).astype(np.float64)
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    np.testing.assert_allclose(K[0, 0] * x / z + K[0, 2], u, atol=1e-4)
    np.testing.assert_allclose(K[1, 1] * y / z + K[1, 2], v, atol=1e-4)


def test_layout(scene):
    depth, image, labels = scene
    assert (CLOUD_DTYPE.itemsize, LABELLED_CLOUD_DTYPE.itemsize) == (16, 20)
    offsets = {"x": 0, "y": 4, "z": 8, "rgb": 12, "label": 16}
    assert {n: o for n, (_, o, *_) in LABELLED_CLOUD_DTYPE.fields.items()} == offsets
    packer = CloudPacker(HEIGHT, WIDTH, K, with_labels=True)
    cloud = packer.pack(depth, image, labels)
    assert cloud.shape == (HEIGHT, WIDTH)
    assert cloud.flags.c_contiguous
    words = np.ascontiguousarray(cloud["rgb"]).view(np.uint32)
    red, green, blue = (image[..., i].numpy().astype(np.uint32) for i in range(3))
    np.testing.assert_array_equal(words, red << 16 | green << 8 | blue)
    np.testing.assert_array_equal(cloud["label"], labels.numpy())
    padding = np.frombuffer(cloud.tobytes(), np.uint8).reshape(HEIGHT, WIDTH, 20)[..., 17:]
    assert not padding.any()


def test_what_is_no_depth_is_no_point(scene):
    depth, image, _ = scene
    for column, value in enumerate([math.nan, math.inf, -math.inf, 0.0, -3.0]):
        depth[0, column] = value
    cloud = CloudPacker(HEIGHT, WIDTH, K).pack(depth, image)
    missing = np.isnan(xyz(cloud)).all(0)
    assert missing[0, :5].all()
    assert missing.sum() == 5
    assert np.isfinite(xyz(cloud)[:, ~missing]).all()
    assert drop_missing(cloud).shape == (HEIGHT * WIDTH - 5,)


def test_points_agree_with_the_published_depth_image(scene):
    depth, image, _ = scene
    valid = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    valid[:, :4] = False
    published = apply_range(depth, valid, 5.0, 40.0)
    cloud = CloudPacker(HEIGHT, WIDTH, K).pack(published, image)
    np.testing.assert_array_equal(np.isfinite(cloud["z"]), np.isfinite(published.numpy()))
    np.testing.assert_array_equal(cloud["z"][np.isfinite(cloud["z"])], published[torch.isfinite(published)].numpy())


def test_range_is_along_the_ray(scene):
    depth, image, _ = scene
    depth[:] = 10.0
    cloud = CloudPacker(HEIGHT, WIDTH, K).pack(depth, image, min_range=10.2, max_range=11.0)
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    distance = 10.0 * np.sqrt(1 + ((u - K[0, 2]) / K[0, 0]) ** 2 + ((v - K[1, 2]) / K[1, 1]) ** 2)
    np.testing.assert_array_equal(np.isfinite(cloud["z"]), (distance >= 10.2) & (distance <= 11.0))


@pytest.mark.parametrize("stride", [2, 3, 5])
def test_stride_takes_every_nth_pixel(scene, stride):
    depth, image, labels = scene
    whole = CloudPacker(HEIGHT, WIDTH, K, with_labels=True).pack(depth, image, labels)
    thinned = CloudPacker(HEIGHT, WIDTH, K, with_labels=True, stride=stride).pack(depth, image, labels)
    np.testing.assert_array_equal(thinned, whole[::stride, ::stride])


def test_memory_is_reused_and_stale_points_vanish(scene):
    depth, image, _ = scene
    packer = CloudPacker(HEIGHT, WIDTH, K)
    first = packer.pack(depth, image)
    second = packer.pack(torch.full_like(depth, math.nan), image)
    assert np.shares_memory(first, second)
    assert np.isnan(second["x"]).all()


def test_labels_are_never_left_over(scene):
    depth, image, labels = scene
    for with_labels, given in ((True, None), (False, labels)):
        with pytest.raises(ValueError, match="labels go with a packer"):
            CloudPacker(HEIGHT, WIDTH, K, with_labels=with_labels).pack(depth, image, given)


def test_a_packer_knows_its_camera():
    packer = CloudPacker(HEIGHT, WIDTH, K)
    assert packer.matches(HEIGHT, WIDTH, K.copy())
    assert not packer.matches(HEIGHT, WIDTH + 1, K)
    assert not packer.matches(HEIGHT, WIDTH, K + 1e-9)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_packs_the_same(scene):
    depth, image, labels = scene
    here = CloudPacker(HEIGHT, WIDTH, K, with_labels=True).pack(depth, image, labels)
    packer = CloudPacker(HEIGHT, WIDTH, K, with_labels=True, device="cuda")
    there = packer.pack(depth.cuda(), image.cuda(), labels.cuda())
    np.testing.assert_allclose(xyz(there), xyz(here), rtol=1e-6)
    np.testing.assert_array_equal(there[["label"]], here[["label"]])


def test_rays_that_end_nowhere_clear_up_to_a_range(scene):
    depth, image, _ = scene
    depth[:4], depth[4], depth[5, 0] = math.inf, math.nan, 0.0
    packer = CloudPacker(HEIGHT, WIDTH, K)
    cloud = xyz(packer.pack(depth, image, max_range=20.0, clear_range=25.0)).astype(np.float64)
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    rays = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones_like(u)])
    away = np.linalg.norm(rays, axis=0)
    beyond = np.isinf(depth.numpy()) | (depth.numpy() * away > 20.0)
    # A point on the same ray, at that distance; what is unknown stays no point, what is near stays what it is.
    np.testing.assert_allclose(cloud[:, beyond], (25.0 * rays / away)[:, beyond], rtol=1e-5, atol=1e-5)
    assert np.isnan(cloud[2, 4]).all()
    assert np.isnan(cloud[2, 5, 0])
    plain = xyz(packer.pack(depth, image, max_range=20.0))
    near = np.isfinite(plain[2])
    np.testing.assert_array_equal(cloud[:, near], plain[:, near])
    assert not near[beyond].any()
