# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The clip that comes with the package: whole, small, calibrated, and with its notice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from depth_node.bags.reader import BagReader
from depth_node.demo.chain import COMPRESSED_TOPIC, INFO_TOPIC
from depth_node.demo.highway import CLIP, FRAMES


def test_the_clip_is_a_whole_bag_of_real_pictures():
    with BagReader(CLIP) as bag:
        images = [image.rgb for image in bag.images(COMPRESSED_TOPIC)]
        infos = [read.message for read in bag.messages(INFO_TOPIC)]
    assert len(images) == len(infos) == FRAMES
    assert {image.shape for image in images} == {(infos[0].height, infos[0].width, 3)} == {(240, 640, 3)}
    # Something moves from picture to picture, and the sky is bluer than the road.
    assert all(np.abs(a.astype(int) - b).mean() > 1 for a, b in pairwise(images))
    sky, road = images[0][:20].mean((0, 1)), images[0][-60:].mean((0, 1))
    assert sky[2] - sky[0] > 20 + road[2] - road[0]
    K = infos[0].k.reshape(3, 3)
    assert 0.85 < K[0, 0] / 640 < 0.95
    assert abs(K[0, 2] - 320) < 20


def test_the_clip_is_small_and_says_whose_it_is():
    assert sum(path.stat().st_size for path in CLIP.iterdir()) < 3_000_000
    notice = (CLIP.parent / "NOTICE.md").read_text()
    assert "Copyright (c) 2016-2018 Udacity, Inc." in notice
    assert "Permission is hereby granted" in notice
