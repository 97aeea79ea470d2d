# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The live node's network on idle and on busy cores, with OpenMP's own waiting and with the node's.

python benchmarks/busy_cores.py [--rounds N]

For each of the two a process of its own, in turns, N rounds idle and N with a busy process on every core: median and
95th percentile of a frame of the shipped checkpoint, and the time to warm up. Only ratios within one run mean anything.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from statistics import median

from depth_node.inference.backends.busy_processes import busy
from depth_node.ros.surroundings import SPIN_COUNT

FRAMES = 15
WORK = f"""
import json, time
import numpy as np
from depth_node.inference.estimator import DepthEstimator
estimator = DepthEstimator.from_checkpoint("default", "cpu")
begin = time.perf_counter()
estimator.warm_up()
warm = time.perf_counter() - begin
image = np.random.default_rng(0).integers(0, 256, (192, 640, 3), np.uint8)
times = []
for _ in range({FRAMES}):
    begin = time.perf_counter()
    estimator.estimate(image, None)
    times.append(time.perf_counter() - begin)
print(json.dumps([warm, *np.percentile(times, (50, 95))]))
"""
WAYS = {"OpenMP's own": {}, f"GOMP_SPINCOUNT={SPIN_COUNT}": {"GOMP_SPINCOUNT": SPIN_COUNT}}


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of each way in each state")
    rounds = parser.parse_args().rounds
    cores = os.cpu_count() or 1
    print(f"{cores} cores, {os.getloadavg()[0]:.1f} processes ran in the last minute\n")
    print("| cores | waiting | warm-up s | median s | p95 s | worst median s |\n|---|---|---|---|---|---|")
    for state, processes in (("idle", 0), ("busy", cores)):
        found: dict[str, list[list[float]]] = {way: [] for way in WAYS}
        with busy(processes):
            for _ in range(rounds):
                for way, environment in WAYS.items():
                    command = [sys.executable, "-c", WORK]
                    done = subprocess.run(command, env=os.environ | environment, capture_output=True, check=True)
                    found[way].append(json.loads(done.stdout.splitlines()[-1]))
        for way, times in found.items():
            cells = [f"{median(column):.3f}" for column in zip(*times, strict=True)]
            print(f"| {state} | {way} | {' | '.join(cells)} | {max(row[1] for row in times):.3f} |")


if __name__ == "__main__":
    main()
