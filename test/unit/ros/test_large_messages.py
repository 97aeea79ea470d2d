# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The profile with room for large messages is taken where the user has none of his own, and only there."""

import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest

from depth_node.ros import surroundings

VARIABLES = (*surroundings.PROFILE_VARIABLES, "FASTDDS_BUILTIN_TRANSPORTS", "RMW_IMPLEMENTATION")


@pytest.fixture
def clean(monkeypatch, tmp_path):
    """No profile of the user's, and plenty of shared memory."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that what is set in between is taken back
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(surroundings.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    return monkeypatch


def taken(_):
    surroundings.make_room_for_large_messages()
    return [
        name
        for name in surroundings.PROFILE_VARIABLES
        if surroundings.os.environ.get(name) == str(surroundings.PROFILE)
    ]


@pytest.mark.parametrize(("distribution", "name"), [("jazzy", 1), ("humble", 1), ("kilted", 0), ("lyrical", 0)])
def test_every_version_is_told_by_the_name_that_it_knows(clean, distribution, name):
    clean.setenv("ROS_DISTRO", distribution)
    assert taken(clean) == [surroundings.PROFILE_VARIABLES[name]]


def test_it_is_there_and_makes_room(clean):
    assert len(taken(clean)) == 1
    text = {element.tag.rpartition("}")[2]: element.text for element in ET.parse(surroundings.PROFILE).iter()}
    assert int(text["segment_size"]) == 32 << 20


@pytest.mark.parametrize("name", VARIABLES)
def test_who_has_chosen_keeps_his_choice(clean, name):
    clean.setenv(name, "rmw_cyclonedds_cpp" if name == "RMW_IMPLEMENTATION" else "mine")
    assert not taken(clean)
    if name in surroundings.PROFILE_VARIABLES:
        assert surroundings.os.environ[name] == "mine"


def test_a_profile_in_the_working_folder_counts(clean, tmp_path):
    (tmp_path / "DEFAULT_FASTDDS_PROFILES.xml").touch()
    assert not taken(clean)


def test_a_small_shared_memory_is_left_alone(clean):
    clean.setattr(surroundings.shutil, "disk_usage", lambda _: SimpleNamespace(free=64 << 20))
    assert not taken(clean)
