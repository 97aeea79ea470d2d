# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The order of a run: every sample once per epoch, the same however the run is cut into pieces and shared."""

from itertools import chain

import pytest
import torch

from depth_node.datasets.batch_order import BatchOrder, share_of_frames
from depth_node.datasets.randomness import Draws, Purpose


@pytest.fixture
def process(monkeypatch):
    def become(rank, world_size):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", str(world_size))

    become(0, 1)
    return become


def test_every_sample_comes_once_per_epoch_in_another_order(process):
    order = BatchOrder(samples=10, batch_size=2, steps=10, seed=3)
    batches = list(order)
    epochs = [list(chain(*batches[first : first + 5])) for first in (0, 5)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(10))] * 2
    assert epochs[0] != epochs[1]
    assert [order.epoch(step) for step in (0, 4, 5, 9)] == [0, 0, 1, 1]


def test_the_rest_of_an_epoch_is_left_out(process):
    order = BatchOrder(samples=11, batch_size=4, steps=4, seed=0)
    assert order.steps_per_epoch == 2
    assert all(len(set(first + second)) == 8 for first, second in ((order.batch(0), order.batch(1)),))


def test_a_resumed_run_goes_on_where_it_stopped(process):
    whole = list(BatchOrder(7, 2, 9, seed=1))
    resumed = BatchOrder(7, 2, 9, seed=1)
    resumed.first = 4
    assert list(resumed) == whole[4:]
    assert len(resumed) == 5


def test_processes_share_every_batch(process):
    whole = list(BatchOrder(13, 6, 5, seed=1))
    shares = []
    for rank in range(3):
        process(rank, 3)
        shares.append(list(BatchOrder(13, 6, 5, seed=1)))
    assert [list(chain(*parts)) for parts in zip(*shares, strict=True)] == whole


@pytest.mark.parametrize("count", [3, 4, 10])
def test_validation_frames_are_shared_without_remainder(process, count):
    seen = []
    for rank in range(3):
        process(rank, 3)
        seen += share_of_frames(count)
    assert seen == list(range(count))


def test_few_validation_frames_are_everybodys(process):
    process(2, 3)
    assert list(share_of_frames(2)) == [0, 1]


def test_noise_belongs_to_a_sample_not_to_its_batch():
    like = torch.empty(4, 1, 8, 8)
    whole = Draws.of_step(5, 17, range(4)).noise(like)
    torch.manual_seed(1)
    assert torch.equal(Draws.of_step(5, 17, [2]).noise(like[:1])[0], whole[2])
    assert len({float(each.sum()) for each in whole}) == 4
    assert not torch.equal(Draws.of_step(5, 18, range(4)).noise(like), whole)
    assert not torch.equal(Draws.of_step(6, 17, range(4)).noise(like), whole)
    many = Draws.of_step(0, 0, range(8)).noise(torch.empty(8, 1, 50, 50))
    assert abs(float(many.mean())) < 0.03
    assert float(many.std()) == pytest.approx(1, abs=0.03)


def test_purposes_are_independent():
    draws = Draws.of_step(0, 0, range(3))
    assert not torch.equal(draws.uniform(Purpose.MIRROR, 4), draws.uniform(Purpose.JITTER, 4))
