# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node's state on /diagnostics (REP 107), once a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from depth_node.ros.live.frame_statistics import Snapshot

PERIOD = 1.0
Report = tuple[str, str, Mapping[str, Any]]
"""Level ('ok', 'warn', 'error'), message and values."""
RECEIVED = "images received"
"""What every live node counts."""
LEVELS = {"ok": DiagnosticStatus.OK, "warn": DiagnosticStatus.WARN, "error": DiagnosticStatus.ERROR}


class DiagnosticsPublisher:
    """Publishes the status of a node, asked from it each time, and of its tasks where it has any."""

    def __init__(
        self, node: Node, report: Callable[[], Report], tasks: Callable[[], Mapping[str, Report]] = dict
    ) -> None:
        """Start the timer.

        Args:
            node: owner of publisher and timer.
            report: gives that of the node.
            tasks: gives those of its tasks, by name.
        """
        self._node, self._report, self._tasks = node, report, tasks
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Steady: a paused simulation should still be able to say so.
        self._timer = node.create_timer(PERIOD, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def publish(self) -> None:
        """Publish now."""
        name = self._node.get_fully_qualified_name().lstrip("/")
        reports = {name: self._report()} | {f"{name}: {task}": report for task, report in self._tasks().items()}
        array = DiagnosticArray(status=[_status(title, name, report) for title, report in reports.items()])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)


def _status(title: str, hardware: str, report: Report) -> DiagnosticStatus:
    level, message, values = report
    status = DiagnosticStatus(level=LEVELS[level], name=title, message=message, hardware_id=hardware)
    status.values = [KeyValue(key=key, value=_text(value)) for key, value in values.items()]
    return status


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
