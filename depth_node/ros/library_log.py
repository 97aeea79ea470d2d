# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Warnings of the package's other rooms, which know no ROS, in the node's log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Forward(logging.Handler):
    def __init__(self, say: Callable[[str], object]) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on the text."""
        self._say(record.getMessage())


@contextmanager
def warnings_to(say: Callable[[str], object]) -> Iterator[None]:
    """Hand what the package warns of within the block to a node's logger instead of standard error."""
    logger, handler = logging.getLogger("depth_node"), _Forward(say)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
