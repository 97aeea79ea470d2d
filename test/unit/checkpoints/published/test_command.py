# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`depth import NAME`, and names in the other commands."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from depth_node.checkpoints.depth import load_checkpoint, read_info
from depth_node.checkpoints.published.catalogue import PUBLISHED
from depth_node.checkpoints.published.fetching import cache_folder
from depth_node.checkpoints.semantic import load_semantic
from depth_node.cli.main import main
from depth_node.errors import CheckpointError

LITE, MONO = "hr_depth:Lite_HR_Depth_K_T_1280x384", "monodepth2:mono+stereo_640x192"


def failure(capsys, *arguments):
    """What a command that fails says, a line."""
    assert main([str(argument) for argument in arguments]) == 1
    said = capsys.readouterr().err.splitlines()
    return said[-1]


def test_a_name_alone_fills_the_cache_and_says_what_and_under_which_licence(server, capsys):
    assert main(["import", MONO]) == 0
    said = capsys.readouterr()
    kept = next(cache_folder().rglob("*.safetensors"))
    assert f"{kept}: monodepth2_resnet18 at 640x192, depth and pose network (pose_resnet18), " in said.out
    assert "licence: Monodepth2 licence of Niantic, Inc., non-commercial use only" in said.out
    assert f"--checkpoint {MONO} " in said.out
    assert f"{MONO}: downloading {server.url}/" in said.err
    assert main(["import", MONO]) == 0
    assert "downloading" not in capsys.readouterr().err


def test_a_copy_of_ones_own_takes_settings_and_the_cache_does_not(server, tmp_path, capsys):
    output = tmp_path / "mine.safetensors"
    settings = ["--scale", "7", "--height", "192", "--width", "512", "--max_depth", "80"]
    assert main(["import", LITE, "--output", str(output), *settings]) == 0
    info = read_info(output)
    assert (info.scale, info.scale_source, info.network.width, info.network.height) == (7, "given", 512, 192)
    assert (info.network.min_depth, info.network.max_depth) == (0.1, 80)
    assert info.licence == PUBLISHED[LITE].project.licence
    assert read_info(LITE).network.width == 1280
    mine, theirs = (load_checkpoint(path).depth.state_dict() for path in (output, LITE))
    assert all((mine[name] == theirs[name]).all() for name in theirs)


def test_wrong_use_is_one_line(server, official_files, tmp_path, capsys):
    assert "did you mean hr_depth:Lite_HR" in failure(capsys, "import", LITE[:-1])
    assert "need --output FILE: what is in the cache stays" in failure(capsys, "import", LITE, "--scale", 5)
    assert server.asked == []
    assert "need --output FILE: only those by name" in failure(capsys, "import", official_files / PUBLISHED[LITE].file)
    assert "--mirror goes with weights by name" in failure(capsys, "import", tmp_path, "--mirror", tmp_path)
    assert "is of the family lite_hr_depth" in failure(capsys, "import", LITE, "--family", "hr_depth", "--output", "x")
    assert "has no file" in failure(capsys, "import", MONO, "--mirror", tmp_path)


def test_inspect_tells_the_licence_in_text_and_json(server, tmp_path, capsys):
    assert main(["inspect", MONO, "--json", str(tmp_path / "a.json")]) == 0
    licence = PUBLISHED[MONO].project.licence
    assert f"licence       {licence}\n" in capsys.readouterr().out
    stored = json.loads((tmp_path / "a.json").read_text())["checkpoints"][0]
    assert stored["licence"] == licence
    assert stored["learnt from"] == f"monodepth2's authors, {MONO}"


def test_predict_takes_a_name_and_says_the_licence_once(server, tmp_path, caplog):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((64, 96, 3), 90, np.uint8))
    command = ["predict", str(tmp_path / "a.png"), "--checkpoint", MONO, "--output", str(tmp_path / "out")]
    assert main([*command, "--device", "cpu"]) == 0
    assert len(list((tmp_path / "out").rglob("*.png"))) == 2
    assert caplog.text.count("non-commercial use only") == 1


def test_what_is_cached_is_not_written_to(server, tmp_path, capsys):
    command = ["evaluate", "--checkpoint", MONO, "--sequence", str(tmp_path), "--store_scale"]
    assert "stays as it is: give it a copy" in failure(capsys, *command)
    assert server.asked == []


def test_it_has_no_semantic_network(server):
    with pytest.raises(CheckpointError, match="is a depth checkpoint without a semantic network"):
        load_semantic(LITE)
