# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Another checkpoint while the node runs: loaded and warmed up beside the present one, which works on meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer

from depth_node.config.live import NodeConfig
from depth_node.errors import CheckpointError, DepthNodeError, first_line
from depth_node.inference.engine import Engine

PERIOD = 0.1
"""Seconds between two looks whether the new network is there."""


class CheckpointSwap:
    """Loads in a thread of its own, hands over in the executor's.

    Attributes:
        problem: why the last checkpoint that was asked for was not taken; empty where it was.
    """

    def __init__(
        self,
        node: Node,
        present: NodeConfig,
        load: Callable[[NodeConfig], Engine[Any]],
        take: Callable[[Engine[Any], str], None],
    ) -> None:
        """Prepare.

        Args:
            node: for log and timer.
            present: the configuration whose checkpoint is loaded.
            load: makes an estimator that is ready to work; may raise.
            take: puts it to work, with the name of its checkpoint; raises CheckpointError where it does not fit.
        """
        self._node, self._load, self._take = node, load, take
        self._loaded = identity_of(present.checkpoint)
        self._thread: threading.Thread | None = None
        self._timer: Timer | None = None
        self._found: Engine[Any] | None = None
        self._config = self._wanted = present
        self.problem = ""

    def ask(self, config: NodeConfig) -> None:
        """Load the checkpoint of a configuration, unless it is the one that runs; the latest that is asked for wins."""
        self._wanted = config
        if self._thread is None and identity_of(config.checkpoint) != self._loaded:
            self._start()

    def stop(self) -> None:
        """Wait for a network that is being loaded, and forget it."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
        if self._thread is not None:
            self._thread.join()
        self._timer = self._thread = self._found = None

    def _start(self) -> None:
        self._config, self.problem = self._wanted, ""
        self._node.get_logger().info(f"loading {self._config.checkpoint}, the present checkpoint works on meanwhile")
        self._thread = threading.Thread(target=self._run, name="depth_swap")
        self._thread.start()
        if self._timer is None:
            self._timer = self._node.create_timer(PERIOD, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _run(self) -> None:
        try:
            self._found = self._load(self._config)
        except DepthNodeError as error:
            self.problem = str(error)
        except Exception as error:  # out of memory: the present one goes on
            self.problem = f"{type(error).__name__}: {first_line(error)}"

    def _look(self) -> None:
        """Hand over what has been loaded, or say why nothing has."""
        if self._thread is None or self._thread.is_alive():
            return
        self._thread.join()
        self._thread, found, self._found = None, self._found, None
        asked = identity_of(self._config.checkpoint)
        if found is not None:
            try:
                self._take(found, self._config.checkpoint)
                self._loaded = asked
            except CheckpointError as error:
                self.problem = str(error)
        if self.problem:
            self.problem = f"{self._config.checkpoint} is not taken: {self.problem}"
            self._node.get_logger().error(f"{self.problem}; the present checkpoint works on")
        again = self._wanted is not self._config and identity_of(self._wanted.checkpoint) not in (self._loaded, asked)
        if again:
            self._start()
        elif self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None


def identity_of(checkpoint: str) -> tuple[object, ...]:
    """Tells one checkpoint from another, also where one file has taken another's place."""
    try:
        path = Path(checkpoint).expanduser()
        status = path.stat()
    except OSError:
        return (checkpoint,)
    return path.resolve(), status.st_mtime_ns, status.st_size
