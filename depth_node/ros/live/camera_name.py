# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What carries a camera's name where a node has several: topics and log lines. One camera alone has none."""

from __future__ import annotations

from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.node import Node


def topic_of(camera: str, topic: str) -> str:
    """A topic of a camera, such as 'front/image'; may be remapped."""
    return f"{camera}/{topic}" if camera else topic


def log_of(node: Node, camera: str) -> RcutilsLogger:
    """The node's log, or its child of the camera's name."""
    logger: RcutilsLogger = node.get_logger()
    return logger.get_child(camera) if camera else logger
