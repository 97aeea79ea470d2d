# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node's state on /diagnostics (REP 107), once a second."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from depth_node.ros.live.frame_statistics import Snapshot

PERIOD = 1.0
RECEIVED = "images received"
"""What every live node counts."""
LEVELS = {"ok": DiagnosticStatus.OK, "warn": DiagnosticStatus.WARN, "error": DiagnosticStatus.ERROR}


class DiagnosticsPublisher:
    """Publishes one status of a node, asked from it each time."""

    def __init__(self, node: Node, report: Callable[[], tuple[str, str, Mapping[str, Any]]]) -> None:
        """Start the timer.

        Args:
            node: owner of publisher and timer.
            report: gives level ('ok', 'warn', 'error'), message and values.
        """
        self._node, self._report = node, report
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Steady: a paused simulation should still be able to say so.
        self._timer = node.create_timer(PERIOD, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def publish(self) -> None:
        """Publish now."""
        level, message, values = self._report()
        name = self._node.get_fully_qualified_name().lstrip("/")
        status = DiagnosticStatus(level=LEVELS[level], name=name, message=message, hardware_id=name)
        status.values = [KeyValue(key=key, value=_text(value)) for key, value in values.items()]
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)


def frame_values(snapshot: Snapshot) -> dict[str, Any]:
    """Rate, latency, drops and stage times as diagnostic values."""
    values: dict[str, Any] = {
        "rate [Hz]": snapshot.rate,
        "age of the last image [s]": snapshot.age,
        RECEIVED: snapshot.received,
        "images published": snapshot.published,
    }
    names = ("p50", "p95", "p99")
    latency = snapshot.latency or (float("nan"),) * 3
    values.update({f"latency {name} [ms]": 1e3 * value for name, value in zip(names, latency, strict=True)})
    values.update({f"dropped: {reason}": count for reason, count in sorted(snapshot.dropped.items())})
    values.update({f"stage {name} [ms]": 1e3 * seconds for name, seconds in snapshot.stages.items()})
    return values


def is_live_status(status: DiagnosticStatus) -> bool:
    """Whether a status on /diagnostics is one that a live node gives of itself."""
    return any(value.key == RECEIVED for value in status.values)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def memory_in_use(device: torch.device) -> int:
    """Bytes held on the network's device: torch's share of the GPU, or this process's resident memory."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
