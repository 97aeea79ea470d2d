# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Memory, threads, files and publishers of a live node that is configured and cleaned up many times.

python benchmarks/cycles.py [--cycles 1000] [--checkpoint FILE_OR_NAME]

A cycle is configure, activate, deactivate, cleanup. Growth is that of the resident memory after the last cycle over
that after the first tenth, when everything that is made once has been made.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from depth_node.allocator import resident_memory
from depth_node.checkpoints.shipped import DEFAULT
from depth_node.ros.main import ros_context


def count(name: str) -> int:
    """Entries of a folder of /proc/self."""
    return len(list(Path("/proc/self", name).iterdir()))


def main() -> None:
    """Cycle, and print a line per tenth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=1000, help="at least 10")
    parser.add_argument("--checkpoint", default=DEFAULT, help="path or name")
    parser.add_argument("--backend", default="torch", help="what computes the network")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes ran in the last minute\n")
    print("| cycles | s | resident MiB | threads | files | publishers |\n|---|---|---|---|---|---|")
    with ros_context([]) as stop:
        from rclpy.lifecycle import TransitionCallbackReturn
        from rclpy.logging import LoggingSeverity
        from rclpy.parameter import Parameter

        from depth_node.ros.live.node import DepthNode

        given = {"checkpoint": args.checkpoint, "backend": args.backend}
        node = DepthNode(parameter_overrides=[Parameter(name, value=value) for name, value in given.items()])
        node.get_logger().set_level(LoggingSeverity.ERROR)
        start, memory = time.monotonic(), []
        for number in range(1, args.cycles + 1):
            for go in (node.trigger_configure, node.trigger_activate, node.trigger_deactivate, node.trigger_cleanup):
                if go() != TransitionCallbackReturn.SUCCESS:
                    raise SystemExit(f"cycle {number} failed, see the log")
            if number % (args.cycles // 10) == 0 or stop.is_set():
                memory.append(resident_memory() / 2**20)
                seconds = time.monotonic() - start
                cells = (number, f"{seconds:.0f}", f"{memory[-1]:.1f}", count("task"), count("fd"))
                print(f"| {' | '.join(map(str, (*cells, len(list(node.publishers)))))} |", flush=True)
            if stop.is_set():
                break
        node.destroy_node()
    print(f"\ngrowth of resident memory: {100 * (memory[-1] / memory[0] - 1):+.2f} %")


if __name__ == "__main__":
    main()
