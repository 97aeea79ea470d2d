# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder as a node: parameters in, progress in the log and on /diagnostics, exit status 0 when all is written."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rclpy.executors import Executor
from rclpy.node import Node

from depth_node.allocator import keep_large_blocks
from depth_node.config.record import RecordConfig
from depth_node.config.recorder import RecorderNodeConfig
from depth_node.errors import ConfigError, DepthNodeError
from depth_node.recording.frame_selection import REASONS
from depth_node.recording.manifest import Manifest
from depth_node.recording.recorder import record
from depth_node.recording.staging import RecordingStoppedError
from depth_node.ros.diagnostics import DiagnosticsPublisher
from depth_node.ros.parameters import NodeParameters

LOG_PERIOD = 2.0
"""Seconds between two lines of progress."""


class RecorderNode(Node):
    """Offline node `recorder_node`: turns bags into a KITTI-style sequence folder, then ends."""

    def __init__(self, **options: Any) -> None:
        """Declare parameters.

        Args:
            options: for `rclpy.node.Node`.
        """
        super().__init__("recorder_node", **options)
        self._settings = NodeParameters(self, RecorderNodeConfig, locked=lambda: True, on_change=lambda _: None)
        self._done = self._total = 0
        self._started = time.monotonic()
        self._manifest: Manifest | None = None
        self._verdict = ""
        self._error: Exception | None = None
        self._stop = threading.Event()
        self._diagnostics = DiagnosticsPublisher(self, self._report)

    def run(self, executor: Executor, stop: threading.Event) -> int:
        """Record in a thread while the executor spins; returns 0.

        Args:
            executor: answers parameter services and the diagnostics timer meanwhile.
            stop: gives up when set.

        Raises:
            DepthNodeError: parameters, bags or output are wrong, or the recording was interrupted.
        """
        config = self._settings.read()
        bags = [Path(bag) for bag in ([config.bags] if isinstance(config.bags, str) else config.bags) if bag]
        if not bags or not config.output:
            raise ConfigError("parameters 'bags' and 'output' must be given: -p bags:=[BAG] -p output:=FOLDER")
        self._stop = stop
        keep_large_blocks()
        thread = threading.Thread(target=self._record, args=(bags, config), name="recorder")
        thread.start()
        while thread.is_alive():
            executor.spin_once(timeout_sec=0.1)
        if self._error is not None:
            raise self._error
        self._log_result(config.output)
        return 0

    def _record(self, bags: list[Path], config: RecorderNodeConfig) -> None:
        fields = {field.name: getattr(config, field.name) for field in dataclasses.fields(RecordConfig)}
        try:
            output = Path(config.output).expanduser()
            self._manifest = record(bags, output, RecordConfig(**fields), self._on_progress, self._write_report)
        except Exception as error:  # raised again in the main thread
            self._error = error

    def _write_report(self, folder: Path) -> None:
        from depth_node.recording.report.page import write_report

        self._verdict = write_report(folder).sentence

    def _on_progress(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        if self._stop.is_set():
            raise RecordingStoppedError("interrupted: start the node again with the same parameters to go on from here")
        self.get_logger().info(f"recorded {done} of {total} pictures", throttle_duration_sec=LOG_PERIOD)

    def _log_result(self, output: str) -> None:
        assert self._manifest is not None
        for drive in self._manifest.drives:
            self.get_logger().info(f"{drive.folder}: {len(drive.frames)} frames, {len(drive.dropped)} dropped")
        for category, count in sorted(self._dropped().items()):
            self.get_logger().info(f"{count} dropped: {REASONS.get(category, category)}")
        for bag in self._manifest.bags:
            if bag.lost is not None:
                lost = "?" if bag.lost.messages is None else bag.lost.messages
                self.get_logger().warning(f"bag {bag.name} is damaged: {lost} messages lost ({bag.lost.note})")
        self.get_logger().info(
            f"wrote {output}: {self._manifest.train} training and {self._manifest.val} validation triplets; "
            f"see report.html. {self._verdict}"
        )

    def _dropped(self) -> Counter[str]:
        manifest = self._manifest
        if manifest is None:
            return Counter()
        frames = [frame for drive in manifest.drives for frame in drive.dropped]
        return Counter(frame.category for frame in frames + [f for bag in manifest.bags for f in bag.dropped])

    def _report(self) -> tuple[str, str, Mapping[str, Any]]:
        level = "error" if isinstance(self._error, DepthNodeError) else "ok"
        if self._manifest is not None and any(bag.lost for bag in self._manifest.bags):
            level = "warn"
        message = str(self._error) if self._error else "done" if self._manifest else "recording"
        seconds = time.monotonic() - self._started
        values: dict[str, Any] = {
            "pictures done": self._done,
            "pictures in all": self._total,
            "rate [Hz]": self._done / seconds if seconds > 0 else 0.0,
        }
        return level, message, values | {f"dropped: {name}": count for name, count in self._dropped().items()}
