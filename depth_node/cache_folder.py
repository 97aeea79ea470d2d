# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where files lie that can be made or fetched again: depth_node in the user's cache, or what DEPTH_NODE_CACHE names."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "DEPTH_NODE_CACHE"


def cache_folder(name: str = "") -> Path:
    """The folder of one kind of such files; it need not exist yet.

    Args:
        name: what is kept there, such as 'networks'; fetched weights lie in the folder itself.
    """
    own = f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/depth_node"
    return Path(os.environ.get(VARIABLE) or own).expanduser() / name
