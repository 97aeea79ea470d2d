# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The engine: metres, intrinsics, resolutions, precisions, and the same input as in training."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from depth_node.checkpoints.depth import Checkpoint, CheckpointInfo, save_checkpoint
from depth_node.config.network import NetworkConfig
from depth_node.datasets.triplets import TripletDataset
from depth_node.errors import CalibrationError, CheckpointError, ConfigError, EncodingError
from depth_node.geometry.disparity import disparity_to_depth
from depth_node.geometry.warp import backproject
from depth_node.inference.estimator import DepthEstimator
from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.layout import FrameReference, drive_folder
from depth_node.kitti.timestamps import write_timestamps
from depth_node.networks.factory import build_depth_network

CONFIG = NetworkConfig(architecture="lite_hr_depth", height=64, width=96)
SCALE = 25.0
K = np.array([[210.0, 0, 100.5], [0, 220.0, 60.25], [0, 0, 1]])


def picture(height=125, width=207, seed=0):
    """Smooth random colours, as neighbouring pixels of a photograph are alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 15, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def network(spread=True):
    """A network with something to say: fresh heads give an almost flat depth."""
    torch.manual_seed(0)
    built = build_depth_network(CONFIG)
    if spread:
        with torch.no_grad():
            built.decoder.heads[0].conv.weight.mul_(200.0)
    return built


@pytest.fixture
def estimator():
    return DepthEstimator(Checkpoint(CheckpointInfo(CONFIG, scale=SCALE), network()), device="cpu")


def test_depth_is_the_networks_disparity_in_metres(estimator):
    image = picture(64, 96)
    prediction = estimator.estimate(image, K)
    with torch.no_grad():
        batch = torch.from_numpy(image).permute(2, 0, 1)[None] / 255.0
        disparity = network().eval()(batch)[0][0, 0]
    expected = SCALE * disparity_to_depth(disparity, CONFIG.min_depth, CONFIG.max_depth)
    assert prediction.depth.std() > 0.5
    torch.testing.assert_close(prediction.depth, expected, rtol=1e-4, atol=0)
    assert prediction.depth.dtype == torch.float32
    assert prediction.valid.all()
    assert prediction.labels is None


def test_network_resolution(estimator):
    prediction = estimator.estimate(picture(), K)
    assert (prediction.height, prediction.width) == (64, 96)
    assert prediction.image.shape == (64, 96, 3)
    assert prediction.image.dtype == torch.uint8
    sx, sy = 96 / 207, 64 / 125
    expected = [[210 * sx, 0, 101 * sx - 0.5], [0, 220 * sy, 60.75 * sy - 0.5], [0, 0, 1]]
    np.testing.assert_allclose(prediction.K, expected)


def test_full_resolution_keeps_image_and_intrinsics(estimator):
    image = picture()
    prediction = estimator.estimate(image, K, full_resolution=True)
    assert prediction.depth.shape == (125, 207)
    np.testing.assert_array_equal(prediction.image.numpy(), image)
    np.testing.assert_array_equal(prediction.K, K)


def test_full_resolution_interpolates_inverse_depth(estimator):
    small = estimator.estimate(picture(), K)
    full = estimator.estimate(picture(), K, full_resolution=True)
    # OpenCV's linear interpolation has half-pixel centres too.
    expected = cv2.resize(1.0 / small.depth.numpy(), (207, 125), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(1.0 / full.depth.numpy(), expected, rtol=1e-3)


def test_both_resolutions_describe_the_same_plane(estimator):
    """A plane, put in place of the network's answer, comes out as the same plane at both resolutions."""
    normal = torch.tensor([0.05, 0.4, 0.6], dtype=torch.float64)  # n . p = 1
    at_network = torch.from_numpy(estimator.estimate(picture(), K).K)
    v, u = torch.meshgrid(torch.arange(64.0), torch.arange(96.0), indexing="ij")
    rays = torch.linalg.inv(at_network) @ torch.stack([u, v, torch.ones_like(u)]).reshape(3, -1).double()
    inverse = (normal @ rays).reshape(1, 1, 64, 96)
    disparity = ((inverse * SCALE - 0.01) / 9.99).float()
    estimator.model.depth_network.forward = lambda batch, scales, semantic_maps: [disparity]
    prediction = estimator.estimate(picture(), K, full_resolution=True)
    points = backproject(prediction.depth[None, None].double(), torch.from_numpy(prediction.K)[None])[0]
    distance = torch.einsum("c,chw->hw", normal, points)[4:-4, 4:-4]  # the outermost pixels are extrapolated
    torch.testing.assert_close(distance, torch.ones_like(distance), rtol=1e-4, atol=0)


def test_scale_can_change_between_images(estimator):
    before = estimator.estimate(picture(), K).depth
    estimator.scale = 2 * SCALE
    torch.testing.assert_close(estimator.estimate(picture(), K).depth, 2 * before)


def test_stages_are_timed_in_order(estimator):
    timings = estimator.estimate(picture(), K).timings
    assert list(timings) == ["upload", "preprocess", "depth", "scale"]
    assert all(seconds >= 0 for seconds in timings.values())


@pytest.mark.parametrize(
    "view",
    [
        lambda image: image[..., ::-1],
        lambda image: image[:, ::-1],
        lambda image: np.frombuffer(image.tobytes(), np.uint8).reshape(image.shape),
        torch.from_numpy,
    ],
    ids=["bgr view", "mirrored view", "read-only buffer", "tensor"],
)
def test_any_memory_layout(estimator, view):
    image = view(picture())
    plain = image.numpy() if isinstance(image, torch.Tensor) else np.ascontiguousarray(image)
    torch.testing.assert_close(estimator.estimate(image, K).depth, estimator.estimate(plain, K).depth)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((64, 96), np.uint8),
        np.zeros((64, 96, 4), np.uint8),
        np.zeros((64, 96, 3), np.float32),
        np.zeros((0, 96, 3), np.uint8),
    ],
    ids=["grey", "four channels", "float", "empty"],
)
def test_images_that_are_none(estimator, image):
    with pytest.raises(EncodingError, match="expected an H x W x 3 uint8 image, got"):
        estimator.estimate(image, K)


@pytest.mark.parametrize("wrong", [np.zeros((3, 3)), np.eye(4), np.full((3, 3), np.nan)])
def test_intrinsics_that_are_none(estimator, wrong):
    with pytest.raises(CalibrationError, match="positive focal lengths"):
        estimator.estimate(picture(), wrong)


def test_half_precision_stays_close():
    exact = DepthEstimator(Checkpoint(CheckpointInfo(CONFIG), network()), "cpu", "fp32").estimate(picture(), K)
    rough = DepthEstimator(Checkpoint(CheckpointInfo(CONFIG), network()), "cpu", "bf16").estimate(picture(), K)
    relative = (rough.depth / exact.depth - 1).abs()
    assert relative.max() > 0, "bf16 was not used"
    assert relative.mean() < 0.02
    assert rough.depth.dtype == torch.float32


def test_from_a_file(tmp_path, estimator):
    save_checkpoint(tmp_path / "net.safetensors", CheckpointInfo(CONFIG, scale=SCALE), network())
    loaded = DepthEstimator.from_checkpoint(tmp_path / "net.safetensors", device="cpu")
    loaded.warm_up(runs=1)
    assert torch.equal(loaded.estimate(picture(), K).depth, estimator.estimate(picture(), K).depth)
    with pytest.raises(CheckpointError, match="does not exist"):
        DepthEstimator.from_checkpoint(tmp_path / "none.safetensors")
    with pytest.raises(ConfigError, match="'int8' is unknown"):
        DepthEstimator.from_checkpoint(tmp_path / "net.safetensors", precision="int8")


@pytest.mark.parametrize("size", [(125, 207), (64, 96), (40, 70)], ids=["larger", "equal", "smaller"])
def test_training_and_live_see_the_same_input(estimator, tmp_path, size):
    """The very tensor that the live network gets equals the one a training batch holds, and so do the intrinsics."""
    height, width = size
    folder = tmp_path / drive_folder("2024_01_01", 1)
    data = folder / "image_02" / "data"
    data.mkdir(parents=True)
    for index in range(3):
        image = cv2.cvtColor(picture(height, width, seed=index), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(data / f"{index:010d}.png"), image)
    write_timestamps(folder / "image_02" / "timestamps.txt", range(3))
    write_calibration(folder.parent, K, width, height, 0)
    reference = FrameReference(str(drive_folder("2024_01_01", 1)), 1, "l")
    sample = TripletDataset(tmp_path, [reference], CONFIG.height, CONFIG.width)[0]

    seen = []
    estimator.model.depth_network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    prediction = estimator.estimate(picture(height, width, seed=1), K)
    assert torch.equal(seen[0][0], sample.as_input().target)
    np.testing.assert_allclose(prediction.K, sample.K.numpy(), rtol=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 0.01), ("fp16", 0.02), ("bf16", 0.05)])
def test_cuda_agrees_with_the_cpu(estimator, precision, tolerance):
    on_gpu = DepthEstimator(Checkpoint(CheckpointInfo(CONFIG, scale=SCALE), network()), "cuda", precision)
    for full in (False, True):
        there = on_gpu.estimate(picture(), K, full)
        assert there.depth.is_cuda
        here = estimator.estimate(picture(), K, full)
        assert ((there.depth.cpu() / here.depth - 1).abs().mean() < tolerance).item()
