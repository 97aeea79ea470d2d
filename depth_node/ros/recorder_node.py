"""The recorder as a node: parameters in, progress in the log and on /diagnostics, exit status 0 when all is written."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rclpy.executors import Executor
from rclpy.node import Node

from depth_node.config.record import RecordConfig
from depth_node.config.recorder import RecorderNodeConfig
from depth_node.data.manifest import Manifest
from depth_node.data.recorder import record
from depth_node.errors import ConfigError, DepthNodeError, RosError
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
        self._manifest: Manifest | None = None
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
            self._manifest = record(bags, Path(config.output).expanduser(), RecordConfig(**fields), self._on_progress)
        except Exception as error:  # raised again in the main thread
            self._error = error

    def _on_progress(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        if self._stop.is_set():
            raise RosError("interrupted: nothing was written")
        self.get_logger().info(f"recorded {done} of {total} pictures", throttle_duration_sec=LOG_PERIOD)

    def _log_result(self, output: str) -> None:
        assert self._manifest is not None
        for drive in self._manifest.drives:
            self.get_logger().info(f"{drive.folder}: {len(drive.frames)} frames, {len(drive.dropped)} dropped")
        self.get_logger().info(
            f"wrote {output}: {self._manifest.train} training and {self._manifest.val} validation triplets"
        )

    def _report(self) -> tuple[str, str, Mapping[str, Any]]:
        level = "error" if isinstance(self._error, DepthNodeError) else "ok"
        message = str(self._error) if self._error else "done" if self._manifest else "recording"
        return level, message, {"pictures done": self._done, "pictures in all": self._total}
