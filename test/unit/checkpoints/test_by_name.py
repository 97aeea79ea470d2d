# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Names of checkpoints: what is one, what is a path, and what a misspelt one is told."""

from __future__ import annotations

import pytest

from depth_node.checkpoints.by_name import find_published, is_name, is_published, located
from depth_node.checkpoints.published.catalogue import PUBLISHED
from depth_node.cli.main import main
from depth_node.errors import CheckpointError


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch):
    """A name that is found is handed back."""
    monkeypatch.setattr("depth_node.checkpoints.published.fetching.fetch", lambda published, say: published)


def test_a_file_of_the_name_goes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "monodepth2:mono_640x192"
    assert located(name) == PUBLISHED[name]
    assert is_name(name)
    (tmp_path / name).write_bytes(b"")
    assert str(located(name)) == name
    assert not is_name(name)
    assert not is_published(name)


@pytest.mark.parametrize("path", ["best.safetensors", "runs/a:b", "a:b.safetensors", "C:model", "none", "smp-hub/x"])
def test_paths_are_left_alone(path):
    assert str(located(path)) == path
    assert not is_published(path)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("monodepth2:mono_640x129", "monodepth2:mono_640x192"),
        ("monodepth:mono_1024x320", "monodepth2:mono_1024x320"),
        ("hr_depth:hr_depth_k_m_1280x384", "hr_depth:HR_Depth_K_M_1280x384"),
        ("packnet:PackNet01_MR_selfsup_k", "packnet:PackNet01_MR_selfsup_K"),
        ("packnet:PackNet01_MR_selfsup_K.ckpt", "packnet:PackNet01_MR_selfsup_K"),
        ("reall", "real"),
    ],
)
def test_a_misspelt_name_is_one_line_with_the_nearest_first(name, near):
    with pytest.raises(CheckpointError) as caught:
        located(name)
    line = str(caught.value)
    assert line.startswith(f"no file and no checkpoint is called {name}: did you mean {near}? known are {near}, ")
    assert all(known in line for known in ("default", *PUBLISHED))
    assert "\n" not in line


def test_an_unknown_project_lists_them_all():
    with pytest.raises(CheckpointError, match="is called zoo:x: known are default, real, monodepth2:mono_640x192, "):
        find_published("zoo:x")


def test_the_help_lists_every_name(capsys):
    with pytest.raises(SystemExit):
        main(["import", "--help"])
    said = capsys.readouterr().out
    assert all(f"  {name}\n" in said for name in PUBLISHED)
