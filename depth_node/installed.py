# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which packages are installed, without importing any of them."""

from __future__ import annotations

from importlib import metadata


def version_of(name: str) -> str:
    """Version of an installed package; empty where it is not."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
