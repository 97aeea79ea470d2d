# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`depth bench`: one table, one file."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from depth_node.cli.main import main
from depth_node.inference.backends import opener, side_by_side


@pytest.fixture
def torch_alone(monkeypatch):
    monkeypatch.setattr(opener, "KINDS", {})
    monkeypatch.setattr(side_by_side, "KINDS", {})
    monkeypatch.setattr(side_by_side, "peak_memory", lambda *_: 321.0)


def test_a_table_and_a_file(small_checkpoint, torch_alone, tmp_path, capsys):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    random = np.random.default_rng(0)
    for name in "ab":
        cv2.imwrite(str(pictures / f"{name}.png"), random.integers(0, 256, (70, 150, 3), np.uint8))
    arguments = ["bench", str(small_checkpoint), "--rounds", "3", "--pictures", str(pictures)]
    assert main([*arguments, "--json", str(tmp_path / "bench.json")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("small.safetensors, 3 rounds, ")
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed if line.startswith("|")]
    assert [row[0] for row in table] == ["back end", "---", "torch fp32", "torch bf16"]
    assert len({len(row) for row in table}) == 1
    assert table[2][5:9] == ["1.00", "321", "0", "0"]
    record = json.loads((tmp_path / "bench.json").read_text())
    assert [row["backend"] for row in record["rows"]] == ["torch fp32", "torch bf16"]
    assert record["surroundings"]["settings"]["rounds"] == 3


def test_what_is_wrong_is_one_line(small_checkpoint, tmp_path, capsys):
    assert main(["bench", str(tmp_path / "none.safetensors")]) == 1
    assert main(["bench", str(small_checkpoint), "--json", str(tmp_path)]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert "does not exist" in errors[0]
    assert "it is a folder" in errors[1]
