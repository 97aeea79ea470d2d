# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a training step costs above the passes of its networks, and what each choice in it is worth, side by side.

    python benchmarks/training_step.py                                  # some minutes on two idle cores
    python benchmarks/training_step.py --architecture monodepth2_resnet18 --sizes 640x192 --batches 4 12 --rounds 20
    python benchmarks/training_step.py --compiled --workers             # torch.compile too, no loaders
    python benchmarks/training_step.py --device cuda --sizes 640x192 --batches 12 --compiled

Measured is the step of `depth train` itself (`training/loop.py`, `Learning.step`): bytes to floats, augmentation, depth
and pose network, loss, backward, Adam. All forms take turns in one process; the ratio is the median over rounds of
form / step, by the processor's time of all cores, which other programs disturb least (by the clock on a GPU):

    floor                 forward and backward of the two networks alone: no loss, no augmentation, no optimizer
    step                  as `depth train` does it
    weights not channels last, Adam not fused, Adam foreach: the step without what it does, or with another form
    compiled              both networks by torch.compile

Memory is that of a process of its own on the CPU; "added" came on top of Python, libraries, weights and one batch. The
loader part reads pictures from files in so many processes while the step learns from them, against a batch that is
there already. Writes training_step.json and training_step.md.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from growth import Size, above_zero, camera_matrix, named, size_of
from rounds import Cost, Memory, busy_line, in_turns, memory_of, middle, number, ratio, table, write_results
from torch import nn

from depth_node.allocator import keep_large_blocks
from depth_node.atomic_file import check_replaceable
from depth_node.config.network import ARCHITECTURES, NetworkConfig
from depth_node.config.training import TrainConfig
from depth_node.datasets.batch_order import BatchOrder
from depth_node.datasets.sample import Sample, collate
from depth_node.datasets.triplets import OFFSETS, open_splits
from depth_node.errors import DepthNodeError, first_line
from depth_node.image_file import write_image
from depth_node.inference.backends.side_by_side import machine
from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.layout import frame_name
from depth_node.training.fit import make_loader
from depth_node.training.loop import Learning, Schedule
from depth_node.training.module import SelfSupervisedModule
from depth_node.training.run.folder import choose_accelerator, make_fabric

FLOOR, STEP, COMPILED = "floor", "step", "compiled"
FORMS = (FLOOR, STEP, "weights not channels last", "Adam not fused", "Adam foreach", COMPILED)
HEADS = ("", "cpu ms", "p95", "wall ms", "p95", "x step", "peak MiB", "added")
PICTURES: Size = (1242, 375)
"""Of the files that the loaders read, KITTI's."""
NEVER = 10**9


def learning_of(network: NetworkConfig, config: TrainConfig, form: str, folder: Path) -> Learning:
    """A run of `depth train` as it stands before its first step, in one form or another."""
    torch.manual_seed(0)
    fabric, scaler = make_fabric(choose_accelerator(config.device), config.precision, config.seed)
    module = SelfSupervisedModule(network, config)
    if form == "weights not channels last":
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d):
                layer.to(memory_format=torch.contiguous_format)
    if form == COMPILED:
        module.depth.compile()
        module.pose.compile()
    schedule = Schedule(BatchOrder(NEVER, config.batch_size, NEVER, config.seed), NEVER, NEVER, 0)
    learning = Learning(module, fabric, scaler, schedule, folder)
    if form.startswith("Adam"):
        for group in learning.optimizer.param_groups:
            group.update(fused=False, foreach=form.endswith("foreach"))
    module.train()
    return learning


def form_of(network: NetworkConfig, config: TrainConfig, form: str, folder: Path) -> Callable[[], object]:
    """What to time: a step in this form, or its floor, always with the same batch."""
    keep_large_blocks()
    learning = learning_of(network, config, form, folder)
    batch = drawn_batch((network.width, network.height), config.batch_size)
    return partial(floor, learning, batch) if form == FLOOR else partial(learning.step, batch)


def floor(learning: Learning, batch: Sample) -> None:
    """Forward and backward of the two networks, with gradients of the outputs that cost nothing to make."""
    module = learning.task
    assert isinstance(module, SelfSupervisedModule)
    seen = batch.to(learning.fabric.device, non_blocking=True).as_input()
    with learning.fabric.autocast():
        disparities = module.disparities(seen.target, module.config.loss.scales)
        motion = module.pose(seen.target, seen.sources, OFFSETS)
    learning.fabric.backward(sum((each.sum() for each in disparities), motion.sum()))
    learning.optimizer.zero_grad()


def drawn_batch(size: Size, count: int) -> Sample:
    """Random pictures, as a loader gives them."""
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 3, size[1], size[0], 3), dtype=torch.uint8, generator=random)
    K = torch.from_numpy(camera_matrix(size)).float()
    return collate([Sample(each[0], each[1:], K, torch.tensor(i)) for i, each in enumerate(pixels)])


def measure_forms(size: Size, batch: int, args: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """A record for each form at one size."""
    network, config = settings(size, batch, args)
    calls: dict[str, Callable[[], object]] = {}
    for form in FORMS[: len(FORMS) - (not args.compiled)]:
        calls[form] = form_of(network, config, form, folder)
        if form == COMPILED and (problem := attempted(calls[form])):
            print(f"torch.compile does not work here, so that it is left out: {problem}", flush=True)
            del calls[form]
    on_gpu = choose_accelerator(config.device) == "cuda"
    costs = in_turns(calls, args.rounds, wait=torch.cuda.synchronize if on_gpu else lambda: None)
    measured = dict.fromkeys(calls, Memory(float("nan"), float("nan")))
    del calls
    for form in (FLOOR, STEP) if not on_gpu else ():
        measured[form] = memory_of(partial(form_of, network, config, form, folder))
    about = {"size": named(size), "batch": batch}
    clock = "wall" if on_gpu else "cpu"
    return [
        about | {"form": form} | record_of(each, costs[STEP], clock) | {"memory": measured[form]._asdict()}
        for form, each in costs.items()
    ]


def attempted(call: Callable[[], object]) -> str:
    """Why a call fails; empty where it does not."""
    try:
        call()
    except Exception as error:  # whatever a compiler comes across
        return f"{type(error).__name__}: {first_line(error)}"
    return ""


def measure_loaders(size: Size, batch: int, args: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """A record for each number of loader processes: milliseconds of a step that waits for its batch."""
    network, config = settings(size, batch, args)
    write_drive(folder / "drive", max(3 * batch, 24))
    train, _ = open_splits(folder / "drive", network.height, network.width)
    learning = learning_of(network, config, STEP, folder)
    ready = drawn_batch(size, batch)
    costs: dict[str, list[Cost]] = {"a batch that is there": [], **{loaders(count): [] for count in args.workers}}
    for turn in range(-1, args.rounds):
        for name, count in zip(costs, (None, *args.workers), strict=True):
            config = TrainConfig(batch_size=batch, workers=count or 0, pretrained=False)
            # What the processes fetch in advance while they start does not count.
            ahead = 2 * max(count or 0, 1)
            order = BatchOrder(len(train), batch, ahead + args.loaded, config.seed)
            batches = (
                itertools.repeat(ready, order.steps)
                if count is None
                else make_loader(train, config, batch_sampler=order)
            )
            spent = steps_of(learning, iter(batches), ahead)
            costs[name] += [spent] if turn >= 0 else []
    base = costs["a batch that is there"]
    about = {"size": named(size), "batch": batch}
    return [about | {"form": name} | record_of(each, base, "wall") for name, each in costs.items()]


def steps_of(learning: Learning, batches: Iterator[Sample], ahead: int) -> Cost:
    """The mean of all steps but the first."""
    for batch in itertools.islice(batches, ahead):
        learning.step(batch)
    wall, cpu, count = time.perf_counter(), time.process_time(), 0
    for count, batch in enumerate(batches, 1):  # noqa: B007 (counts)
        learning.step(batch)
    return Cost(1e3 * (time.perf_counter() - wall) / count, 1e3 * (time.process_time() - cpu) / count)


def loaders(count: int) -> str:
    """What a row is called."""
    return f"{count} loader process{'es' * (count != 1)}" if count else "loading in between"


def write_drive(root: Path, frames: int) -> None:
    """A drive of noise in KITTI's form and size; PNGs that are as hard to read as pictures."""
    if root.exists():
        return
    data = root / "2024_01_01/2024_01_01_drive_0001_sync/image_02/data"
    data.mkdir(parents=True)
    width, height = PICTURES
    write_calibration(root / "2024_01_01", camera_matrix(PICTURES), width, height, stamp_ns=0)
    random = np.random.default_rng(0)
    for index in range(frames):
        noise = random.normal(128, 12, (height, width, 3)).clip(0, 255).astype(np.uint8)
        write_image(data / frame_name(index, ".png"), noise)


def settings(size: Size, batch: int, args: argparse.Namespace) -> tuple[NetworkConfig, TrainConfig]:
    """Of `depth train`, without a download."""
    network = NetworkConfig(args.architecture, width=size[0], height=size[1])
    return network, TrainConfig(batch_size=batch, pretrained=False, device=args.device, precision=args.precision)


def record_of(costs: Sequence[Cost], base: Sequence[Cost], clock: str) -> dict[str, Any]:
    """Costs of every round, and their ratio."""
    return {name: [getattr(cost, name) for cost in costs] for name in Cost._fields} | {
        "ratio": ratio(costs, base, clock)
    }


def text_of(records: Sequence[dict[str, Any]]) -> str:
    """A table of each size and batch."""
    tables = []
    for (size, batch), group in itertools.groupby(records, lambda record: (record["size"], record["batch"])):
        rows = []
        for record in group:
            costs = [Cost(*pair) for pair in zip(record["wall"], record["cpu"], strict=True)]
            median, high = middle(costs), middle(costs, 95)
            memory = record.get("memory", {"peak": float("nan"), "added": float("nan")})
            values = (median.cpu, high.cpu, median.wall, high.wall)
            rows.append((record["form"], *map(number, values), f"{record['ratio']:.2f}", *map(number, memory.values())))
        tables.append(f"{size}, batch of {batch}\n\n{table(HEADS, rows)}")
    return "\n\n".join(tables)


def parsed() -> argparse.Namespace:
    """What the user wants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    network, config = NetworkConfig(), TrainConfig()
    add("--architecture", default=network.architecture, choices=ARCHITECTURES, help=f"({network.architecture})")
    add("--sizes", type=size_of, nargs="+", default=[(320, 96), (640, 192)], help="input sizes (320x96 640x192)")
    add("--batches", type=above_zero, nargs="+", default=[2, 4], help="triplets in a step (2 4)")
    add("--rounds", type=above_zero, default=5, help="that count (5)")
    add("--compiled", action="store_true", help="torch.compile too; making it takes minutes")
    add("--workers", type=int, nargs="*", default=[0, 1, 2], help="loader processes (0 1 2); nothing after it for none")
    add("--loaded", type=above_zero, default=6, help="steps of each pass of a loader that count (6)")
    add("--device", default=config.device, help="as `depth train` takes it")
    add("--precision", default=config.precision, help="as `depth train` takes it")
    add("--output", type=Path, default=Path("training_step"), help="folder for the results (training_step)")
    return parser.parse_args()


def main() -> None:
    """Measure, print, write."""
    args = parsed()
    keep_large_blocks()  # as `depth train` does
    try:
        check_replaceable(args.output / "training_step.json")
        about, steps, loads = machine(), [], []
        with tempfile.TemporaryDirectory() as folder:
            for size, batch in itertools.product(args.sizes, args.batches):
                found = measure_forms(size, batch, args, Path(folder))
                print(text_of(found) + "\n", flush=True)
                steps += found
            if args.workers:
                loads = measure_loaders(args.sizes[-1], args.batches[0], args, Path(folder))
                print(text_of(loads))
    except DepthNodeError as error:
        raise SystemExit(f"error: {error}") from None
    title = f"{args.architecture}, {args.rounds} rounds; {busy_line(about)}"
    record = {"architecture": args.architecture, "machine": about, "steps": steps, "loaders": loads}
    text = f"# What a training step costs\n\n{title}\n\n{text_of(steps)}\n\n## Fed from files\n\n{text_of(loads)}"
    write_results(args.output, "training_step", record, text)
    print(f"\n{title}\nwritten: {args.output}/training_step.json, training_step.md")


if __name__ == "__main__":
    main()
