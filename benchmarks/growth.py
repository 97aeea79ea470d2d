# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Does the live chain cost in proportion to what it is given? By input size, number of cameras and size of the cloud.

    python benchmarks/growth.py                                   # under two minutes on two idle cores
    python benchmarks/growth.py --rounds 30 --backend openvino --output growth_openvino
    python benchmarks/growth.py --checkpoint mine.safetensors --sizes 320x96 640x192 --cameras 1 2 3
    python benchmarks/growth.py --give_back --output growth_before     # with glibc's own way with large blocks

The chain is that of the live node without ROS: pictures of so many cameras through the networks in one batch
(`estimate_batch`; compiled back ends take one after the other), depth with its range, and a cloud of every pixel. The
last part is the packing of clouds alone. Within a part all amounts are measured in turns, in an order drawn for every
round, and the first two rounds do not count. Read "cpu" on a machine that does other things as well: that is the
time which all cores spent for this process. Memory is that of a process of its own, "added" what came on top of Python,
libraries and loaded networks.

An exponent of 1 means: twice as much costs twice as much. Below 1 a fixed part is spread over more; more than 1.1, over
all amounts or between the two largest, and more than 1 in nine of ten rounds, is reported as FASTER THAN LINEAR.
Writes growth.json, growth.md and growth.png.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rounds import Cost, Growth, Memory, busy_line, growth, in_turns, memory_of, middle, number, table, write_results

from depth_node.allocator import keep_large_blocks
from depth_node.atomic_file import check_replaceable, replacing
from depth_node.errors import DepthNodeError
from depth_node.ros.surroundings import share_cores

Size = tuple[int, int]
"""Width and height, pixels."""
SIZES = ((192, 64), (320, 96), (640, 192), (960, 288), (1280, 384))
CAMERAS = (1, 2, 4, 8)
CLOUDS = ((160, 48), (320, 96), (640, 192), (1280, 384), (1920, 1080))
PACKINGS = 10
"""Clouds in a row for one number: a small one takes less than a millisecond."""
HEADS = ("", "cpu ms", "p95", "wall ms", "p95", "cpu, first = 1", "amount, first = 1", "peak MiB", "added")


@dataclass(frozen=True)
class Part:
    """One thing of which there is more and more.

    Attributes:
        title: what.
        unit: what amounts count.
        labels: what each amount is called.
        amounts: how much, ascending.
        prepare: of each amount; returns what to time, see `rounds.memory_of`.
        repeats: see `rounds.in_turns`.
    """

    title: str
    unit: str
    labels: Sequence[str]
    amounts: Sequence[int]
    prepare: Sequence[Callable[[], Callable[[], object]]]
    repeats: int = 1


@dataclass(frozen=True)
class Measured:
    """A part with its costs and memory, in the order of its amounts, and how they grow by what they are called."""

    part: Part
    costs: Sequence[Sequence[Cost]]
    memories: Sequence[Memory]
    grows: dict[str, Growth]


def surround(keeps: bool) -> None:
    """What the live node sets before torch comes; without `keeps` memory is given back as C libraries do."""
    share_cores()
    if keeps:
        keep_large_blocks()


def chain(checkpoint: Path, backend: str, keeps: bool, size: Size, cameras: int) -> Callable[[], object]:
    """The live node's work on one picture of each camera, from rectified pictures to ranged depth and clouds."""
    surround(keeps)
    from depth_node.config.live import NodeConfig
    from depth_node.inference.array_estimator import ArrayEstimator
    from depth_node.inference.backends.interface import GraphBackend
    from depth_node.inference.backends.opener import Opener
    from depth_node.inference.backends.trial_pictures import trial_pictures
    from depth_node.inference.engine import Engine, EstimateRequest
    from depth_node.inference.estimator import DepthEstimator

    width, height = size
    opened = Opener(checkpoint, "cpu", "fp32", print, is_strict=False, size=(height, width)).entrant(f"{backend} fp32")
    engine: Engine[Any] = ArrayEstimator(opened) if isinstance(opened, GraphBackend) else DepthEstimator(opened)
    drawn = (255 * trial_pictures(height, width, cameras)[i][0].permute(1, 2, 0) for i in range(cameras))
    requests = [EstimateRequest(picture.byte().numpy(), camera_matrix(size)) for picture in drawn]
    config, packers = NodeConfig(), {}

    def frames() -> None:
        for i, prediction in enumerate(engine.estimate_batch(requests)):
            depth = prediction.ranged(config.depth.min, config.depth.max)
            labels = prediction.labels if config.points.labels else None
            if i not in packers:
                packers[i] = prediction.cloud_packer(labels is not None, config.points.stride, False)
            packers[i].fill(depth, prediction.image, labels)

    return frames


def packing(backend: str, keeps: bool, size: Size) -> Callable[[], object]:
    """A cloud of a depth picture alone, by what the back end's predictions use."""
    surround(keeps)
    import torch

    from depth_node.inference.array_prediction import ArrayCloudPacker
    from depth_node.inference.tensor_prediction import CloudPacker

    width, height = size
    random = np.random.default_rng(0)
    depth = random.uniform(1, 80, (height, width)).astype(np.float32)
    image = random.integers(0, 256, (height, width, 3), np.uint8)
    made: list[Callable[[], object]] = []

    def pack() -> None:
        if not made:
            if backend == "torch":
                tensors = torch.from_numpy(depth), torch.from_numpy(image)
                made.append(partial(CloudPacker(height, width, camera_matrix(size)).fill, *tensors))
            else:
                made.append(partial(ArrayCloudPacker(height, width, camera_matrix(size)).fill, depth, image))
        made[0]()

    return pack


def camera_matrix(size: Size) -> np.ndarray:
    """(3, 3) intrinsics of a camera that sees 64 degrees across."""
    width, height = size
    return np.array([[0.8 * width, 0, width / 2], [0, 0.8 * width, height / 2], [0, 0, 1]])


def parts_of(args: argparse.Namespace, checkpoint: Path) -> list[Part]:
    """What was asked for."""
    from depth_node.checkpoints.depth_info import read_info

    network = read_info(checkpoint).network
    own = (network.width, network.height)
    sizes, clouds = (sorted(given, key=math.prod) for given in (args.sizes, args.clouds))
    cameras, way = sorted(args.cameras), (args.backend, not args.give_back)
    return [
        Part(
            "input size, one camera",
            "pixels",
            [named(size) for size in sizes],
            [math.prod(size) for size in sizes],
            [partial(chain, checkpoint, *way, size, 1) for size in sizes],
        ),
        Part(
            f"cameras in one batch, {named(args.camera_size or own)} each",
            "cameras",
            [f"{count} camera{'s' * (count > 1)}" for count in cameras],
            cameras,
            [partial(chain, checkpoint, *way, args.camera_size or own, count) for count in cameras],
        ),
        Part(
            "cloud, its packing alone",
            "points",
            [named(size) for size in clouds],
            [math.prod(size) for size in clouds],
            [partial(packing, *way, size) for size in clouds],
            PACKINGS,
        ),
    ]


def measure(part: Part, rounds: int) -> Measured:
    """Time in turns, then look at the memory of each amount in a process of its own."""
    calls = {label: prepare() for label, prepare in zip(part.labels, part.prepare, strict=True)}
    costs = list(in_turns(calls, rounds, part.repeats).values())
    calls.clear()
    memories = [memory_of(prepare) for prepare in part.prepare]
    grows = {name: growth(part.amounts, [[getattr(c, name) for c in each] for each in costs]) for name in Cost._fields}
    added = [[max(memory.added, 0.01)] for memory in memories]
    return Measured(part, costs, memories, grows | {"memory": growth(part.amounts, added)})


def text_of(measured: Measured) -> str:
    """Table and verdict."""
    part, first, rows = measured.part, middle(measured.costs[0]), []
    for label, amount, costs, memory in zip(part.labels, part.amounts, measured.costs, measured.memories, strict=True):
        median, high = middle(costs), middle(costs, 95)
        values = (median.cpu, high.cpu, median.wall, high.wall, median.cpu / first.cpu, amount / part.amounts[0])
        rows.append((label, *map(number, (*values, memory.peak, memory.added))))
    return f"## {part.title}\n\n{table(HEADS, rows)}\n\n" + "\n".join(
        f"* {name}: exponent {each.exponent:.2f} ({each.low:.2f} to {each.high:.2f} by rounds), between the two "
        f"largest {each.last:.2f}: {'FASTER THAN LINEAR' if each.is_faster_than_linear else 'not faster than linear'}"
        for name, each in measured.grows.items()
    )


def record_of(measured: Measured) -> dict[str, Any]:
    """The same for programs, with the costs of every round."""
    part = measured.part
    rows = [
        {"label": label, "amount": amount, "memory": memory._asdict()}
        | {name: [getattr(cost, name) for cost in costs] for name in Cost._fields}
        for label, amount, costs, memory in zip(
            part.labels, part.amounts, measured.costs, measured.memories, strict=True
        )
    ]
    grows = {name: vars(each) | {"faster": each.is_faster_than_linear} for name, each in measured.grows.items()}
    return {"title": part.title, "unit": part.unit, "rows": rows, "growth": grows}


def draw(found: Sequence[Measured], path: Path) -> None:
    """Time and memory over the amount, with a line that is proportional to it through the largest."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.5), layout="constrained")
    panels = figure.subplots(2, len(found), sharex="col", squeeze=False)
    for column, measured in enumerate(found):
        part, amounts = measured.part, np.array(measured.part.amounts, float)
        time, memory = panels[:, column]
        for name, marker in (("cpu", "o"), ("wall", "s")):
            ms = [[getattr(cost, name) for cost in costs] for costs in measured.costs]
            median, high = np.percentile(ms, (50, 95), axis=1)
            time.errorbar(
                amounts, median, [0 * median, high - median], marker=marker, ms=4, capsize=3, label=f"{name} ms"
            )
        added = np.array([each.added for each in measured.memories])
        memory.plot(amounts, added, marker="o", ms=4, label="MiB added")
        for axes, top in ((time, middle(measured.costs[-1]).cpu), (memory, added[-1])):
            axes.plot(amounts, top * amounts / amounts[-1], "k--", lw=1, label=f"proportional to the {part.unit}")
            axes.set(xscale="log", yscale="log")
            axes.grid(alpha=0.3)
            axes.legend(fontsize="small")
        time.set_title(part.title, fontsize="medium")
        memory.set_xticks(amounts, part.labels, rotation=25, fontsize="small")
        memory.set_xticks([], minor=True)
        memory.set_xlabel(part.unit)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=75)


def named(size: Size) -> str:
    """As people write it."""
    return "{}x{}".format(*size)


def size_of(text: str) -> Size:
    """The other way round; raises ArgumentTypeError."""
    try:
        width, height = map(int, text.split("x"))
    except ValueError:
        width = height = 0
    if min(width, height) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no size: write width x height, such as 640x192")
    return width, height


def above_zero(text: str) -> int:
    """A number from 1; raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1")
    return int(text)


def parsed() -> argparse.Namespace:
    """What the user wants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--checkpoint", default="real", help="path or name (real)")
    add("--backend", default="torch", choices=("torch", "openvino", "onnxruntime"), help="in fp32 (torch)")
    add("--rounds", type=above_zero, default=7, help="that count (7)")
    add("--sizes", type=size_of, nargs="+", default=SIZES, help="input sizes, multiples of 32: 640x192 1280x384 ...")
    add("--cameras", type=above_zero, nargs="+", default=CAMERAS, help="numbers of them (1 2 4 8)")
    add("--camera_size", type=size_of, help="input size of each camera (the checkpoint's)")
    add("--clouds", type=size_of, nargs="+", default=CLOUDS, help="sizes of depth pictures, a point for each pixel")
    add("--give_back", action="store_true", help="leave the allocator as it is, which the live node does not")
    add("--output", type=Path, default=Path("growth"), help="folder for the results (growth)")
    args = parser.parse_args()
    for name in ("sizes", "cameras", "clouds"):
        if len(set(getattr(args, name))) < max(2, len(getattr(args, name))):
            parser.error(f"--{name} needs two or more different amounts to see a growth")
    return args


def main() -> None:
    """Measure, print, write."""
    args = parsed()
    surround(not args.give_back)
    from depth_node.checkpoints.by_name import located
    from depth_node.inference.backends.opener import UnfitError
    from depth_node.inference.backends.side_by_side import machine

    try:
        check_replaceable(args.output / "growth.json")
        about, found = machine(), []
        for part in parts_of(args, located(args.checkpoint)):
            found.append(measure(part, args.rounds))
            print(text_of(found[-1]) + "\n", flush=True)
    except (DepthNodeError, UnfitError) as error:
        raise SystemExit(f"error: {error}") from None
    title = f"{args.checkpoint}, {args.backend} fp32, {args.rounds} rounds; {busy_line(about)}"
    record = {"checkpoint": args.checkpoint, "backend": args.backend, "machine": about}
    record["parts"] = [record_of(each) for each in found]
    text = "\n\n".join([f"# How the live chain grows\n\n{title}", *map(text_of, found), "![growth](growth.png)"])
    write_results(args.output, "growth", record, text)
    draw(found, args.output / "growth.png")
    print(f"{title}\nwritten: {args.output}/growth.json, growth.md, growth.png")


if __name__ == "__main__":
    main()
