# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The configuration machinery: names, types, bounds and the messages a user gets."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, dataclass, field

import pytest

from depth_node.config.setting import Setting, Validated, build, setting, settings, values, without_folders
from depth_node.errors import ConfigError


@dataclass(frozen=True)
class Lens(Validated):
    """A nested configuration."""

    focal: float = setting(0.5, "focal length", unit="m", low=0.1, high=2.0, live=True)
    model: str = setting("pinhole", "projection", choices=("pinhole", "fisheye"))


@dataclass(frozen=True)
class Camera(Validated):
    """A configuration with every kind of field."""

    rate: int = setting(10, "frames per second", low=1)
    upright: bool = setting(True, "the image is not upside down")
    name: str = setting("front", "what people call it")
    lens: Lens = field(default_factory=Lens)


def test_dotted_names_in_order():
    assert [named.name for named in settings(Camera)] == ["rate", "upright", "name", "lens.focal", "lens.model"]


def test_metadata_travels():
    focal = next(named for named in settings(Camera) if named.name == "lens.focal")
    assert (focal.type, focal.default, focal.about.live) == (float, 0.5, True)
    text = focal.about.describe()
    assert text.startswith("focal length")
    assert "0.1 to 2" in text
    assert "m" in text.split("0.1 to 2")[1]


def test_description_of_open_ranges_and_choices():
    assert "1" in Setting("x", low=1).describe()
    assert "7" in Setting("x", high=7).describe()
    assert "one of a, b" in Setting("x", choices=("a", "b")).describe()
    assert "((" not in Setting("x", choices=("a", "b")).describe()
    assert Setting("x").describe() == "x"


def test_build_and_values_are_inverse():
    camera = build(Camera, {"rate": 30, "lens.model": "fisheye"})
    assert camera == Camera(rate=30, lens=Lens(model="fisheye"))
    assert build(Camera, values(camera)) == camera
    assert build(Camera, {}) == Camera()


def test_numbers_take_the_type_of_their_setting():
    assert isinstance(build(Camera, {"lens.focal": 1}).lens.focal, float)
    assert isinstance(build(Camera, {"rate": 30.0}).rate, int)
    assert build(Camera, {"lens.focal": "1e-1"}).lens.focal == 0.1  # PyYAML reads 1e-1 as text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"lens.focl": 1.0}, "unknown parameter 'lens.focl': did you mean 'lens.focal'"),
        ({"zzz": 1}, "known are: rate, upright, name, lens.focal, lens.model"),
        ({"lens.focal": 3.0}, "out of bounds: focal length"),
        ({"rate": 0}, "out of bounds"),
        ({"rate": 1.5}, "must be of type int"),
        ({"rate": True}, "must be of type int"),
        ({"rate": math.inf}, "must be of type int"),
        ({"upright": 1}, "must be of type bool"),
        ({"name": 5}, "must be of type str"),
        ({"lens.focal": math.nan}, "is not a number"),
        ({"lens.focal": None}, "must be of type float"),
        ({"lens.model": "mirror"}, "must be one of pinhole, fisheye"),
    ],
)
def test_a_wrong_value_gets_one_clear_line(given, says):
    with pytest.raises(ConfigError, match=says) as caught:
        build(Camera, given)
    assert "\n" not in str(caught.value)


def test_direct_construction_is_checked_too():
    with pytest.raises(ConfigError, match="out of bounds"):
        Lens(focal=9.0)


def test_a_configuration_does_not_change():
    with pytest.raises(FrozenInstanceError):
        Camera().rate = 5


def test_settings_that_travel_name_files_without_their_folders():
    travelling = {"initial": "/me/runs/last.safetensors", "semantic": "smp-hub/segformer", "steps": 3, "device": "cpu"}
    expected = {"initial": "last.safetensors", "semantic": "segformer", "steps": 3, "device": "cpu"}
    assert without_folders(travelling) == expected
