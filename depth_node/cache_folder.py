# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where files lie that can be made or fetched again: ~/.cache/depth_node, or the folder that DEPTH_NODE_CACHE names."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "DEPTH_NODE_CACHE"


def cache_folder(name: str) -> Path:
    """The folder of one kind of such files; it need not exist yet.

    Args:
        name: what is kept there, such as 'networks'.
    """
    return Path(os.environ.get(VARIABLE) or "~/.cache/depth_node").expanduser() / name
