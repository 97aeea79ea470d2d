# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Times networks, whole frames and training steps on a GPU, side by side, with the drift of each way beside its time.

    python benchmarks/gpu.py [--rounds 200] [--json FILE]

Networks alone: milliseconds of one picture, in eager single precision with all four scales (as the authors' code runs
them), then in the ways that a live node can. Whole frames: a uint8 picture of 1242x375 on the host to depth and cloud
on the host. Weights are random; drift is the mean relative difference of depth to eager single precision without TF32.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from depth_node.camera.network_input import resize_image, to_network_input
from depth_node.config.classes import CITYSCAPES
from depth_node.config.network import DEPTH, LOGITS, NetworkConfig
from depth_node.config.semantic import SemanticConfig
from depth_node.inference.device import prepare_model
from depth_node.inference.tensor_prediction import CloudPacker
from depth_node.losses.exact_depth import exact_depth_loss
from depth_node.networks.depth_model import DepthModel
from depth_node.networks.factory import build_depth_network
from depth_node.networks.layers import channels_last
from depth_node.networks.semantic import SemanticNetwork

SIZES = ((192, 640), (384, 1280))
NETWORKS = {
    "monodepth2 R18": NetworkConfig(architecture="monodepth2_resnet18"),
    "guided monodepth2 R18": NetworkConfig(architecture="monodepth2_resnet18", guided=True),
    "HR-Depth": NetworkConfig(architecture="hr_depth_resnet18"),
    "guided HR-Depth": NetworkConfig(architecture="hr_depth_resnet18", guided=True),
    "Lite-HR-Depth": NetworkConfig(architecture="lite_hr_depth"),
    "guided Lite-HR-Depth": NetworkConfig(architecture="lite_hr_depth", guided=True),
    "PackNet": NetworkConfig(architecture="packnet01", min_depth=0.5, max_depth=1e6),
}
SEMANTIC = SemanticConfig(encoder="resnet18", pyramid_channels=128, segmentation_channels=64)
DEVICE = torch.device("cuda")


def make_model(config: NetworkConfig) -> DepthModel:
    """A depth network with random weights and, where it is guided, a semantic network before it; on the CPU."""
    torch.manual_seed(0)
    semantic = SemanticNetwork(SEMANTIC, CITYSCAPES) if config.guided else None
    return DepthModel(build_depth_network(config, semantic_channels=semantic.channels if semantic else ()), semantic)


def prepared(model: DepthModel, dtype: torch.dtype) -> DepthModel:
    """A copy on the GPU as the live node would have it."""
    return prepare_model(copy.deepcopy(model), DEVICE, dtype)


def all_scales(model: DepthModel, image: Tensor) -> list[Tensor]:
    """Disparities at all four scales, as the authors' code computes them."""
    semantic = model.semantics(image)
    scales: list[Tensor] = model.depth_network(image, semantic_maps=semantic.maps if semantic else None)
    return scales


def captured(run: Callable[[], Any]) -> tuple[Callable[[], Any], Any]:
    """A CUDA graph of `run`, and what it fills."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream), torch.inference_mode():
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.inference_mode(), torch.cuda.graph(graph):
        result = run()
    return graph.replay, result


def milliseconds(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, dict[str, float]]:
    """Median and tail of each way; all ways alternate, so that a busy moment hits all."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    with torch.inference_mode():
        for n in range(rounds + 10):
            for name, run in ways.items():
                torch.cuda.synchronize()
                start = time.perf_counter()
                run()
                torch.cuda.synchronize()
                if n >= 10:
                    times[name].append(1e3 * (time.perf_counter() - start))
    marks = {"median": 50, "p95": 95, "p99": 99}
    return {name: {m: float(np.percentile(t, q)) for m, q in marks.items()} for name, t in times.items()}


def one_network(name: str, height: int, width: int, rounds: int) -> list[dict[str, Any]]:
    """A record for each way to run a network on one picture."""
    image, config = torch.rand(1, 3, height, width, device=DEVICE), NETWORKS[name]
    model = make_model(config)
    plain = copy.deepcopy(model).to(DEVICE)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    with torch.inference_mode():
        wanted = plain(image)[DEPTH]
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    ways: dict[str, Callable[[], Any]] = {"eager fp32, 4 scales": partial(all_scales, plain, image)}
    filled: dict[str, Tensor] = {}
    for label, dtype in (("fp32", torch.float32), ("fp16", torch.float16), ("bf16", torch.bfloat16)):
        own = prepared(model, dtype)
        if label != "bf16":
            ways[f"eager {label}, channels last"] = partial(own, image)
        ways[f"graph {label}"], result = captured(partial(own, image))
        filled[f"graph {label}"] = result[DEPTH]
    found = milliseconds(ways, max(rounds // 4, 20) if name == "PackNet" else rounds)
    base = found["eager fp32, 4 scales"]["median"]
    records = []
    for way, numbers in found.items():
        drift = float(((filled[way] - wanted).abs() / wanted).mean()) if way in filled else 0.0
        about = {"network": name, "size": f"{width}x{height}", "way": way, "drift": drift}
        records.append(about | numbers | {"ratio": base / numbers["median"]})
    return records


def one_frame(name: str, height: int, width: int, rounds: int) -> list[dict[str, Any]]:
    """From a host picture to host depth and cloud: step by step, and as one graph."""
    host = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (375, 1242, 3), np.uint8)).pin_memory()
    model = prepared(make_model(NETWORKS[name]), torch.float16)
    K = np.diag([width / 1242, height / 375, 1.0]) @ np.array([[721.5, 0, 609.6], [0, 721.5, 172.9], [0, 0, 1.0]])
    packer = CloudPacker(height, width, K, model.semantic_network is not None, device=DEVICE)
    picture = torch.empty(host.shape, dtype=torch.uint8, device=DEVICE)
    depth_out = torch.empty((height, width)).pin_memory()
    cloud_out = torch.empty((height, width, packer.dtype.itemsize // 4)).pin_memory()

    def frame() -> None:
        picture.copy_(host, non_blocking=True)
        small = resize_image(picture, height, width)
        found = model(to_network_input(small)[None])
        depth = found[DEPTH][0, 0]
        labels = SemanticNetwork.labels(found[LOGITS], height, width)[0] if LOGITS in found else None
        depth_out.copy_(depth, non_blocking=True)
        cloud_out.copy_(packer.fill(depth, small, labels), non_blocking=True)

    replay, _ = captured(frame)
    found = milliseconds({"step by step fp16": frame, "one graph fp16": replay}, rounds)
    return [{"network": name, "size": f"{width}x{height}", "way": way} | numbers for way, numbers in found.items()]


def one_training(name: str, way: str, rounds: int) -> list[dict[str, Any]]:
    """Milliseconds of a training step of 12 pictures at 640x192, forward to optimizer, and its peak memory."""
    config = NETWORKS[name]
    model = make_model(config).to(DEVICE)
    if "channels last" in way:
        channels_last(model)
    network = model.depth_network.train().requires_grad_(True)
    optimizer = torch.optim.Adam(network.parameters(), 1e-4, fused="fused" in way)
    image, depth = torch.rand(12, 3, 192, 640, device=DEVICE), 5 + torch.rand(12, 1, 192, 640, device=DEVICE)
    times = []
    torch.cuda.reset_peak_memory_stats()
    for n in range(rounds + 5):
        torch.cuda.synchronize()
        start = time.perf_counter()
        with torch.autocast("cuda", torch.bfloat16, enabled="bf16" in way):
            disparities = all_scales(model, image)
        loss = exact_depth_loss(disparities, depth, config.min_depth, config.max_depth)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        times += [time.perf_counter() - start] if n >= 5 else []
    median, memory = float(np.median(times)), torch.cuda.max_memory_allocated() / 2**30
    return [{"network": name, "way": way, "median": 1e3 * median, "samples_per_s": 12 / median, "GiB": memory}]


FRAMES = ("guided monodepth2 R18", "guided HR-Depth", "HR-Depth", "guided Lite-HR-Depth")
TRAINED = ("monodepth2 R18", "guided monodepth2 R18", "HR-Depth", "guided Lite-HR-Depth")
WAYS = ("fp32", "bf16, channels last", "bf16, channels last, fused Adam")


def show(title: str, records: list[dict[str, Any]]) -> None:
    """Print records as a table in plain text."""
    print(f"\n{title}")
    columns = list(dict.fromkeys(key for record in records for key in record))
    rows = [[f"{v:.4g}" if isinstance(v, float) else str(v) for v in map(r.get, columns)] for r in records]
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    for row in [columns, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


def main() -> None:
    """Measure everything that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", type=Path, default=None, help="also write all records here")
    args = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    parts = {
        "whole frames, ms": [partial(one_frame, name, *size, args.rounds) for size in SIZES for name in FRAMES],
        "training steps of 12, ms": [partial(one_training, name, way, 15) for name in TRAINED for way in WAYS],
        "networks alone, ms": [partial(one_network, name, *size, args.rounds) for size in SIZES for name in NETWORKS],
    }
    found = {}
    for title, runs in parts.items():
        start = time.perf_counter()
        found[title] = [record for run in runs for record in run()]
        show(f"{title} ({time.perf_counter() - start:.0f} s)", found[title])
        if args.json:
            args.json.write_text(json.dumps({"device": torch.cuda.get_device_name(), "parts": found}, indent=1))


if __name__ == "__main__":
    main()
