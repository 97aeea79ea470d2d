# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Times pixel-adaptive convolution: our fast form against the formula written with unfolded windows, side by side.

    python benchmarks/pixel_adaptive.py [--threads 2] [--rounds 9] [--device cpu]

Each line is one layer of a decoder at 640x192; the columns are medians over rounds in which all forms alternate. The
ratios matter, not the milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table

from depth_node.networks.pixel_adaptive import pixel_adaptive_convolution, pixel_distances, reference_convolution

LAYERS = ((16, 192, 640), (32, 96, 320), (64, 96, 320), (128, 48, 160), (256, 24, 80))
GUIDE = 32


def seconds(run: Callable[[], object], device: str) -> float:
    """How long one call takes, including what it left on the device."""
    start = time.perf_counter()
    run()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def compare(channels: int, height: int, width: int, rounds: int, device: str) -> dict[str, float]:
    """Median milliseconds of each form on one layer."""
    torch.manual_seed(0)
    features = torch.randn(1, channels, height, width, device=device)
    guide = 0.3 * torch.randn(1, GUIDE, height, width, device=device)
    weight = torch.randn(channels, channels, 3, 3, device=device)
    affinity = torch.exp(-0.5 * pixel_distances(guide))
    forms = {
        "formula": lambda: reference_convolution(features, guide, weight),
        "fast": lambda: pixel_adaptive_convolution(features, torch.exp(-0.5 * pixel_distances(guide)), weight),
        "fast, shared kernels": lambda: pixel_adaptive_convolution(features, affinity, weight),
        "plain convolution": lambda: F.conv2d(features, weight, padding=1),
    }
    times: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(rounds + 1):
        for name, run in forms.items():
            times[name].append(seconds(run, device))
    return {name: 1e3 * statistics.median(values[1:]) for name, values in times.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    table = Table(title=f"{args.device}, {args.threads} threads, torch {torch.__version__}")
    for heading in ("layer", "formula ms", "fast ms", "with shared kernels ms", "plain conv ms", "formula / shared"):
        table.add_column(heading, justify="right")
    with torch.inference_mode():
        for layer in LAYERS:
            found = compare(*layer, args.rounds, args.device)
            ratio = found["formula"] / found["fast, shared kernels"]
            table.add_row("{}@{}x{}".format(*layer), *(f"{ms:.1f}" for ms in found.values()), f"{ratio:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
