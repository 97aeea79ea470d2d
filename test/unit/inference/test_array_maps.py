# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Both forms of each formula, PyTorch's and NumPy's, on the same numbers."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from depth_node.camera.network_view import view_of
from depth_node.config.network import NetworkConfig
from depth_node.geometry.disparity import resized_depth
from depth_node.inference import array_prediction
from depth_node.inference.array_maps import (
    best_class_map,
    confidence_map,
    depth_map,
    doubt_map,
    nearest_map,
    resized_map,
)
from depth_node.inference.array_prediction import ArrayPrediction
from depth_node.inference.confidence import confidence_of, uncertainty
from depth_node.inference.tensor_prediction import TensorPrediction
from depth_node.networks.class_scores import best_classes

RANDOM = torch.Generator().manual_seed(0)
K = np.array([[40.0, 0, 31.5], [0, 42.0, 15.5], [0, 0, 1]])


def rand(*shape):
    return torch.rand(*shape, generator=RANDOM)


@pytest.mark.parametrize(("near", "far"), [(0.1, 100.0), (0.5, math.inf)])
@pytest.mark.parametrize("size", [(32, 64), (47, 101), (20, 30)])
def test_depth(near, far, size):
    disparity = rand(1, 1, 32, 64)
    disparity[..., :8, :8] = 0.0
    found = depth_map(resized_map(disparity[0, 0].numpy(), *size), NetworkConfig(min_depth=near, max_depth=far))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, resized_depth(disparity, near, far, size)[0, 0].numpy(), rtol=2e-4)


def test_classes():
    scores = torch.randn(1, 7, 8, 16, generator=RANDOM)
    found = best_class_map(scores[0].numpy(), 32, 64)
    assert found.dtype == np.uint8
    assert (found == best_classes(scores, 32, 64)[0].numpy()).mean() > 0.999
    assert (best_class_map(np.ones((3, 4, 4), np.float32), 8, 8) == 0).all(), "of equals the first"


@pytest.mark.parametrize("size", [(32, 64), (47, 101), (9, 20)])
def test_classes_at_another_size(size):
    labels = torch.randint(0, 19, (32, 64), generator=RANDOM).byte()
    expected = F.interpolate(labels[None, None].float(), size, mode="nearest-exact")[0, 0].byte()
    assert (nearest_map(labels.numpy(), *size) == expected.numpy()).all()


def test_confidence():
    network = NetworkConfig()
    finest = 0.1 + 0.5 * rand(1, 1, 32, 64)
    disparities = [F.avg_pool2d(finest, 2**i) for i in range(4)]
    doubt = uncertainty(disparities, network, 5.0)
    found = doubt_map([each[0, 0].numpy() for each in disparities], network, 5.0)
    np.testing.assert_allclose(found, doubt[0, 0].numpy(), rtol=1e-3, atol=1e-6)
    difference = confidence_map(found).astype(int) - confidence_of(doubt)[0, 0].numpy()
    assert confidence_map(found).dtype == np.uint8
    assert np.abs(difference).max() <= 1
    assert confidence_map(np.zeros((1, 1), np.float32)) == 255


@pytest.fixture
def predictions():
    """One of each kind, of the same numbers: with sky, holes, and what is too near."""
    depth = 60 * rand(32, 64) ** 2
    depth[:4], depth[4:6], depth[6:8] = math.inf, math.nan, 0.01
    parts = {
        "depth": depth,
        "valid": ~torch.isnan(depth),
        "image": torch.randint(0, 256, (32, 64, 3), generator=RANDOM).byte(),
        "labels": torch.randint(0, 19, (32, 64), generator=RANDOM).byte(),
        "confidence": torch.randint(0, 256, (32, 64), generator=RANDOM).byte(),
    }
    view = view_of((32, 64), (32, 64))
    arrays = {name: part.numpy().copy() for name, part in parts.items()}
    return TensorPrediction(**parts, K=K, view=view), ArrayPrediction(**arrays, K=K, view=view)


def test_ranges(predictions):
    (expected,), (found,) = ([each.ranged(1.0, 40.0)] for each in predictions)
    np.testing.assert_array_equal(found, expected.numpy())
    assert found is not predictions[1].depth
    assert np.isnan(predictions[1].depth[4]).all(), "the prediction itself stays as it is"


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("clear_range", [0.0, 25.0])
@pytest.mark.parametrize(("labels", "confidence"), [(False, False), (True, False), (True, True)])
def test_clouds(predictions, stride, clear_range, labels, confidence):
    clouds = []
    for each in predictions:
        packer = each.cloud_packer(labels, stride, confidence)
        options = (0.5, 50.0, each.confidence, 20, clear_range)
        filled = packer.fill(each.ranged(0.1, 80.0), each.image, each.labels if labels else None, *options)
        clouds.append(packer.points(each.to_host({"cloud": filled})["cloud"]))
        assert packer.matches(32, 64, K)
    expected, found = clouds
    assert found.dtype == expected.dtype
    for name in found.dtype.names:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6, atol=1e-6)
    assert np.isfinite(found["z"]).any()


@pytest.mark.parametrize("band", [1, 7, 1000])
def test_clouds_are_the_same_to_the_byte_however_many_rows_are_filled_at_a_time(predictions, monkeypatch, band):
    _, each = predictions
    depth, options = each.ranged(0.1, 80.0), (0.5, 50.0, each.confidence, 20, 3.0)
    expected = each.cloud_packer(True, 1, True).fill(depth, each.image, each.labels, *options).tobytes()
    monkeypatch.setattr(array_prediction, "BAND", band)
    found = each.cloud_packer(True, 1, True).fill(depth, each.image, each.labels, *options)
    assert found.tobytes() == expected
    colors = found.view(np.uint8)[..., 12:16]
    np.testing.assert_array_equal(colors, np.dstack([each.image[..., ::-1], np.zeros_like(each.labels)]))


def test_a_packer_gets_what_it_was_made_for(predictions):
    _, arrays = predictions
    with pytest.raises(ValueError, match="labels go with"):
        arrays.cloud_packer(True, 1, False).fill(arrays.depth, arrays.image)
    with pytest.raises(ValueError, match="need it"):
        arrays.cloud_packer(False, 1, True).fill(arrays.depth, arrays.image)


def test_times(predictions):
    for each in predictions:
        twice = each.times(2.0)
        assert twice.rescaled == 2.0
        np.testing.assert_array_equal(np.asarray(twice.depth), 2 * np.asarray(each.depth))
        assert each.times(1.0) is each
