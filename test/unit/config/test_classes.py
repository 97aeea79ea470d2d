# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Class maps: the built-in ones, a user's own, and their ids in label pictures."""

from __future__ import annotations

import json

import pytest

from depth_node.config.classes import CAMVID, CITYSCAPES, UNLABELLED, ClassMap, read_class_map
from depth_node.config.label_ids import LABEL_IDS, read_label_ids
from depth_node.errors import ConfigError


def test_cityscapes_train_ids():
    assert len(CITYSCAPES) == 19
    known = {"road": 0, "building": 2, "vegetation": 8, "sky": 10, "person": 11, "car": 13, "bicycle": 18}
    assert {name: CITYSCAPES.index(name) for name in known} == known
    assert CITYSCAPES.sky_ids == (10,)
    assert CITYSCAPES.moving_ids == tuple(range(11, 19))
    assert CITYSCAPES.ground_ids == (0, 1, 9)
    assert CITYSCAPES.colors[13] == (0, 0, 142)


def test_camvid_follows_its_label_pictures():
    assert len(CAMVID) == 11
    assert [CAMVID.index(name) for name in ("sky", "road", "sign", "bicyclist")] == [0, 3, 6, 10]
    assert CAMVID.sky_ids == (0,)


@pytest.mark.parametrize("classes", [CITYSCAPES, CAMVID], ids=["cityscapes", "camvid"])
def test_a_map_survives_json(classes):
    assert ClassMap.of(json.loads(json.dumps(classes.record()))) == classes


def test_names_choose_the_built_in_maps():
    assert read_class_map("cityscapes") is CITYSCAPES
    assert read_class_map("camvid") is CAMVID


def test_a_map_of_ones_own(tmp_path):
    path = tmp_path / "farm.yaml"
    path.write_text("names: [field, sky, cow]\nsky: [sky]\nmoving: [cow]\n")
    farm = read_class_map(str(path))
    assert farm.names == ("field", "sky", "cow")
    assert (farm.sky_ids, farm.moving_ids, farm.ground_ids) == ((1,), (2,), ())
    assert len(set(farm.colors)) == 3


def test_colours_made_up_are_all_different():
    classes = ClassMap.of({"names": [f"class {number}" for number in range(255)]})
    assert len({*classes.colors, (0, 0, 0)}) == 256


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("names: [a, b]\nskies: [a]\n", "has no 'skies'"),
        ("names: [a, b]\nsky: [c]\n", "no class 'c'"),
        ("names: [road, b]\nground: [raod]\n", "did you mean 'road'"),
        ("names: [a, a]\n", "'a' is in the class map twice"),
        ("names: [a]\n", "2 to 255 classes"),
        ("names: [a, b]\ncolors: [[0, 0, 0]]\n", "2 classes but 1 colors"),
        ("names: [a, b]\ncolors: [[0, 0], [1, 1, 1]]\n", "three whole numbers"),
        ("names: [a, b]\ncolors: [[0, 0, 256], [1, 1, 1]]\n", "from 0 to 255"),
        ("names: {a: 0, b: 1}\n", "must be a list of names"),
        ("names: [a, yes]\n", "must be a list of names"),
        ("- a\n- b\n", "must be a YAML mapping"),
        ("names: [a, b\n", "is no YAML"),
    ],
)
def test_a_bad_map_is_refused_in_one_line(tmp_path, text, line):
    path = tmp_path / "classes.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_class_map(str(path))
    assert line in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_map_names_the_known_ones(tmp_path):
    with pytest.raises(ConfigError, match=r"unknown class map 'kitti': use cityscapes, camvid or a YAML file"):
        read_class_map("kitti")
    with pytest.raises(ConfigError, match="cannot read class map"):
        read_class_map(str(tmp_path / "missing.yaml"))


def test_ids_out_of_the_map_are_unlabelled():
    table = read_label_ids("", CAMVID)
    assert table[:11] == tuple(range(11))
    assert set(table[11:]) == {UNLABELLED}
    assert len(table) == 256


def test_camvid_pictures_as_cityscapes_classes():
    table = read_label_ids("camvid", CITYSCAPES)
    assert table[:12] == (10, 2, 5, 0, 1, 8, 7, 4, 13, 11, 12, 255)


def test_cityscapes_label_ids_reach_every_train_id_once():
    table = read_label_ids("cityscapes", CITYSCAPES)
    assert sorted(number for number in table if number != UNLABELLED) == list(range(19))
    assert (table[7], table[26], table[33]) == (0, 13, 18)
    assert len(LABEL_IDS["cityscapes"]) == 19


def test_an_id_map_of_ones_own(tmp_path):
    path = tmp_path / "ids.yaml"
    path.write_text("1: road\n2: 13\n3: 255\n")
    assert read_label_ids(str(path), CITYSCAPES)[:5] == (255, 0, 13, 255, 255)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1: tree\n", "no class 'tree'"),
        ("1: 19\n", "19 is no class"),
        ("256: road\n", "256 is no value"),
        ("road: 1\n", "'road' is no value"),
        ("1: true\n", "True is no class"),
    ],
)
def test_a_bad_id_map_is_refused(tmp_path, text, line):
    path = tmp_path / "ids.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=line):
        read_label_ids(str(path), CITYSCAPES)


def test_an_unknown_id_map_names_the_known_ones():
    with pytest.raises(ConfigError, match="use cityscapes, camvid or a YAML file"):
        read_label_ids("kitti", CITYSCAPES)
    with pytest.raises(ConfigError, match="no class 'sidewalk'"):
        read_label_ids("cityscapes", CAMVID)
