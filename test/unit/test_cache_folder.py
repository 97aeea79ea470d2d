# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where files lie that can be made again."""

from __future__ import annotations

from pathlib import Path

from depth_node.cache_folder import VARIABLE, cache_folder


def test_the_environment_moves_it(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert cache_folder("networks") == tmp_path / "networks"
    monkeypatch.setenv(VARIABLE, "~/elsewhere")
    assert cache_folder("networks") == Path.home() / "elsewhere/networks"


def test_it_lies_in_the_users_cache(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert cache_folder("networks") == Path.home() / ".cache/depth_node/networks"
