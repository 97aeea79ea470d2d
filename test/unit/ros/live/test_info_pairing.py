# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import pytest

from depth_node.ros.live.info_pairing import PATIENCE, InfoPairing, is_alike


def message(stamp, **fields):
    return SimpleNamespace(header=SimpleNamespace(stamp=SimpleNamespace(sec=stamp, nanosec=7)), **fields)


def info(stamp, focal=100.0):
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    size = {"width": 4, "height": 3, "binning_x": 0, "binning_y": 0, "distortion_model": "plumb_bob", "roi": roi}
    return message(stamp, **size, d=[], k=[focal] * 9, r=[0.0] * 9, p=[0.0] * 12)


@pytest.fixture
def pairing():
    pairs, drops = [], []
    made = InfoPairing(lambda i, c, t: pairs.append((i.header.stamp.sec, c.header.stamp.sec, t)), drops.append)
    made.pairs, made.drops = pairs, drops
    return made


def test_equal_stamps_pair_whichever_comes_first(pairing):
    pairing.add_info(info(1))
    pairing.add_image(message(1), 0.1)
    pairing.add_image(message(2), 0.2)
    assert pairing.pairs == [(1, 1, 0.1)]
    pairing.add_info(info(2))
    assert pairing.pairs == [(1, 1, 0.1), (2, 2, 0.2)]


def test_an_older_info_does_not_pair_while_the_own_one_may_come(pairing):
    pairing.add_info(info(1))
    pairing.add_image(message(2), 0.0)
    assert pairing.pairs == []
    pairing.add_info(info(2, focal=200.0))
    assert pairing.pairs == [(2, 2, 0.0)]


def test_a_camera_that_latches_its_info(pairing):
    pairing.add_info(info(0))
    for stamp in (5, 6, 7):
        pairing.add_image(message(stamp), float(stamp))
    assert pairing.pairs == [(5, 0, 5.0), (6, 0, 6.0), (7, 0, 7.0)]
    assert pairing.drops == []


def test_a_single_image_does_not_wait_for_ever(pairing):
    pairing.add_info(info(0))
    pairing.add_image(message(5), 10.0)
    pairing.expire(10.0 + PATIENCE / 2)
    assert pairing.pairs == []
    pairing.expire(10.0 + 2 * PATIENCE)
    assert pairing.pairs == [(5, 0, 10.0)]


def test_a_latching_camera_may_change_its_calibration(pairing):
    pairing.add_info(info(0))
    for stamp in (5, 6):
        pairing.add_image(message(stamp), 0.0)
    pairing.add_info(info(1, focal=200.0))
    pairing.add_image(message(7), 0.0)
    assert pairing.pairs[-1][:2] == (7, 1)


def test_a_zooming_camera_never_gets_the_info_of_another_frame(pairing):
    for stamp in (1, 2):
        pairing.add_image(message(stamp), 0.0)
        pairing.add_info(info(stamp, focal=100.0 + stamp))
    pairing.add_image(message(3), 0.0)  # its info is lost
    pairing.add_image(message(4), 0.0)
    pairing.add_info(info(4))
    assert [pair[:2] for pair in pairing.pairs] == [(1, 1), (2, 2), (4, 4)]
    assert pairing.drops == ["no camera_info of its stamp"]


def test_a_latching_camera_may_follow_another_one(pairing):
    for stamp in (1, 2):
        pairing.add_image(message(stamp), 0.0)
        pairing.add_info(info(stamp))
    pairing.add_info(info(0, focal=200.0))  # the only one of the new camera
    for stamp in (5, 6, 7, 8):
        pairing.add_image(message(stamp), 0.0)
    assert [pair[:2] for pair in pairing.pairs] == [(1, 1), (2, 2), (6, 0), (7, 0), (8, 0)]
    assert pairing.drops == ["no camera_info of its stamp"]


def test_images_without_any_info_are_dropped_with_the_reason(pairing):
    pairing.add_image(message(1), 0.0)
    pairing.add_image(message(2), 0.0)
    pairing.expire(9.0)
    assert pairing.pairs == []
    assert pairing.drops == ["no camera_info"] * 2


def test_late_infos_bring_exact_pairing_back(pairing):
    pairing.add_info(info(1))
    pairing.add_image(message(2), 0.0)
    pairing.expire(1.0)  # took info 1
    pairing.add_info(info(2))  # but it was only late
    pairing.add_image(message(3), 2.0)
    assert [pair[:2] for pair in pairing.pairs] == [(2, 1)]
    pairing.add_info(info(3))
    assert [pair[:2] for pair in pairing.pairs] == [(2, 1), (3, 3)]


def test_a_lens_that_focuses_is_one_camera_and_one_that_zooms_is_not():
    fields = {"width": 640, "height": 480, "binning_x": 0, "binning_y": 0, "distortion_model": "plumb_bob", "d": []}
    fields |= {"roi": info(0).roi, "r": [0.0] * 9, "p": [0.0] * 12}
    near, far = (message(0, k=[f, 0, 319.5, 0, f, 239.5, 0, 0, 1], **fields) for f in (500.0, 500.3))
    assert is_alike(near, far)
    far.k = [520.0, 0, 319.5, 0, 520.0, 239.5, 0, 0, 1]
    assert not is_alike(near, far)
    far.k = [0.0] * 9
    assert not is_alike(near, far)
