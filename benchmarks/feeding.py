# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How fast pictures reach a training step, from their files and from the frame cache, against what the step takes.

    python benchmarks/feeding.py [--frames 120] [--rounds 5] [--workers 0 1 2] [--threads 2] [--device cpu]

Loader rows: samples/s of a data loader over 1242x375 pictures resized to 640x192, three pictures a sample, the decoded
ones not kept in memory (as with more data than memory). "files" and "cache" run in turns, whichever begins changes with
every round; the ratio is the median over rounds. Step rows: samples/s of augmentation alone and of a whole step on the
device (augmentation, both networks, loss, backward, Adam). A loader bounds a step where its number is the smaller one.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import lightning
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader

from depth_node.allocator import keep_large_blocks
from depth_node.config.network import NetworkConfig
from depth_node.config.training import TrainConfig
from depth_node.datasets import triplets as dataset_module
from depth_node.datasets.randomness import Draws
from depth_node.datasets.sample import Sample, collate
from depth_node.datasets.triplets import TripletDataset, open_splits
from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.layout import frame_name
from depth_node.training.module import SelfSupervisedModule
from depth_node.training.run.folder import PRECISIONS

WIDTH, HEIGHT = 1242, 375
SIZES = ((96, 320), (192, 640))


def write_drive(root: Path, suffix: str, frames: int) -> None:
    """A drive of textured pictures: files about as large as KITTI's (PNG 0.7 MB, JPEG 0.1 MB)."""
    data = root / "2024_01_01/2024_01_01_drive_0001_sync/image_02/data"
    data.mkdir(parents=True)
    K = np.array([[721.5, 0, 609.5], [0, 721.5, 172.8], [0, 0, 1]])
    write_calibration(root / "2024_01_01", K, WIDTH, HEIGHT, stamp_ns=0)
    random = np.random.default_rng(0)
    for index in range(frames):
        coarse = cv2.resize(random.uniform(0, 255, (12, 40, 3)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        grain = cv2.GaussianBlur(random.normal(0, 8, (HEIGHT, WIDTH, 3)), (0, 0), 0.8)
        cv2.imwrite(str(data / frame_name(index, suffix)), np.clip(coarse + grain, 0, 255).astype(np.uint8))


def loading(data: TripletDataset, workers: int, batch: int) -> float:
    """Samples/s of one pass, workers already started."""
    batches = [list(part) for part in np.random.default_rng(0).permutation(len(data)).reshape(-1, batch)]
    loader = DataLoader(
        data, batch_sampler=[*batches[: 2 * max(workers, 1)], *batches], num_workers=workers, collate_fn=collate
    )
    times = [time.perf_counter() for _ in itertools.chain(loader, [None])]
    # What the workers fetched in advance while they started does not count.
    return len(batches) * batch / (times[-1] - times[-len(batches) - 1])


def compare_loaders(root: Path, suffix: str, workers: Sequence[int], frames: int, rounds: int, table: Table) -> None:
    """Rows of one kind of file."""
    write_drive(root / suffix, suffix, frames)
    parts = {}
    for name, cache in (("files", None), ("cache", root / f"cache{suffix}")):
        train, _ = open_splits(root / suffix, *SIZES[1], cache=cache)
        train.targets = train.targets[: len(train) // 12 * 12]
        parts[name] = train
    for count in workers:
        speeds: dict[str, list[float]] = {name: [] for name in parts}
        for number in range(rounds):
            for name in sorted(parts, reverse=number % 2 == 1):
                speeds[name].append(loading(parts[name], count, 12))
        ratio = statistics.median(b / a for a, b in zip(speeds["files"], speeds["cache"], strict=True))
        medians = (f"{statistics.median(speeds[name]):.0f}" for name in ("files", "cache"))
        table.add_row(f"{suffix[1:].upper()}, {count} workers", *medians, f"{ratio:.1f}")


def prepare_step(size: tuple[int, int], batch: int, precision: str, device: str) -> tuple[Callable[[], object], ...]:
    """Augmentation alone and the whole step, as functions to time."""
    config = TrainConfig(batch_size=batch, pretrained=False)
    network = NetworkConfig("monodepth2_resnet18", height=size[0], width=size[1])
    fabric = lightning.Fabric(accelerator=device, devices=1, precision=PRECISIONS[precision])
    module = SelfSupervisedModule(network, config).to(device).train()
    optimiser = torch.optim.Adam(module.parameters(), fused=True)
    K = torch.tensor([[0.58 * size[1], 0, size[1] / 2], [0, 1.92 * size[0], size[0] / 2], [0, 0, 1]])
    pixels = torch.randint(0, 256, (batch, 3, *size, 3), dtype=torch.uint8)
    sample = collate([Sample(p[0], p[1:], K, torch.tensor(i)) for i, p in enumerate(pixels)]).to(device)
    steps = itertools.count()

    def augment() -> tuple[Sample, Sample, Draws]:
        draws = Draws.of_step(0, next(steps), range(batch))
        clean = module.augmentation.mirror(sample.as_input(), draws)
        return clean, module.augmentation.jitter(clean, draws), draws

    def step() -> None:
        with fabric.autocast():
            total = module._score(*augment()).total
        optimiser.zero_grad()
        total.backward()
        optimiser.step()

    return augment, step


def timed(run: Callable[[], object], device: str) -> float:
    """Seconds of one call, including what it left on the device."""
    start = time.perf_counter()
    run()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def measure_steps(batch: int, rounds: int, device: str, table: Table) -> None:
    """Rows of augmentation and step."""
    for size, precision in itertools.product(SIZES, ("fp32", "bf16")):
        parts = prepare_step(size, batch, precision, device)
        times = [[timed(part, device) for part in parts] for _ in range(rounds + 1)][1:]
        speeds = [batch / statistics.median(column) for column in zip(*times, strict=True)]
        shares = statistics.median(augment / step for augment, step in times)
        table.add_row(
            f"{size[1]}x{size[0]}, batch {batch}, {precision}", *(f"{s:.1f}" for s in speeds), f"{shares:.1%}"
        )


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--batch", type=int, default=4, help="of the step")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    keep_large_blocks()
    dataset_module.CACHE_BYTES = 0
    loaders = Table(title=f"loader, samples/s at 640x192; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for heading in ("pictures", "files", "cache", "cache / files"):
        loaders.add_column(heading, justify="right")
    if args.workers:
        with tempfile.TemporaryDirectory() as folder:
            for suffix in (".png", ".jpg"):
                compare_loaders(Path(folder), suffix, args.workers, args.frames, args.rounds, loaders)
    steps = Table(title=f"R18 step on {args.device}, {args.threads} threads, samples/s; torch {torch.__version__}")
    for heading in ("step", "augmentation", "whole step", "share of augmentation"):
        steps.add_column(heading, justify="right")
    measure_steps(args.batch, args.rounds, args.device, steps)
    for table in (loaders, steps):
        Console().print(table)


if __name__ == "__main__":
    main()
