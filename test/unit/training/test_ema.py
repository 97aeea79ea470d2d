# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Averaged weights: computed right, validated and saved, and a resumed run has the same."""

from __future__ import annotations

import copy

import lightning
import pytest
import torch
from torch.utils.data import DataLoader

from depth_node.training.ema import AverageWeights, averaged_weights
from depth_node.training.frozen_networks import FrozenSemantics

DATA = torch.arange(8.0).reshape(8, 1)


class Line(lightning.LightningModule):
    """y = 2 x by gradient descent, with a counter and a statistic to average."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(1, 1)
        self.norm = torch.nn.BatchNorm1d(1)
        self.history, self.validated = [], []

    def training_step(self, batch, _):
        line = self.layer(batch)
        return 0.02 * (line - 2 * batch).square().mean() + 0.02 * self.norm(line).mean()

    def on_train_batch_end(self, *_):
        self.history.append(self.layer.weight.item())

    def validation_step(self, batch, _):
        self.validated.append(self.layer.weight.item())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def train(folder, steps, resume=None):
    callback, module = AverageWeights(0.5), Line()
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_steps=steps,
        max_epochs=-1,
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )
    loader = DataLoader(DATA, batch_size=2)
    trainer.fit(module, loader, loader, ckpt_path=resume, weights_only=True)
    return trainer, module


def average_of(history):
    """The moving average as defined: it starts with the first weights and moves faster at first."""
    average = history[0]
    for count, weight in enumerate(history[1:], start=1):
        decay = min(0.5, (1 + count) / (10 + count))
        average = decay * average + (1 - decay) * weight
    return average


@pytest.mark.filterwarnings("ignore")
def test_the_average_is_what_is_validated_and_handed_out(tmp_path):
    trainer, module = train(tmp_path, 12)
    assert module.layer.weight.item() == module.history[-1]
    with averaged_weights(trainer):
        assert module.layer.weight.item() == pytest.approx(average_of(module.history), rel=1e-5)
        assert module.norm.num_batches_tracked == 12
        with averaged_weights(trainer):  # no second exchange
            assert module.layer.weight.item() != module.history[-1]
    assert module.layer.weight.item() == module.history[-1]
    assert module.validated[0] == pytest.approx(average_of(module.history[:4]), rel=1e-5)
    assert abs(average_of(module.history[:4]) - module.history[3]) > 1e-3


@pytest.mark.filterwarnings("ignore")
def test_a_resumed_run_has_the_same_weights_and_average(tmp_path):
    trainer, _ = train(tmp_path, 4)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    resumed, module = train(tmp_path, 8, resume=tmp_path / "last.ckpt")
    through, reference = train(tmp_path, 8)
    assert module.layer.weight.item() == pytest.approx(reference.layer.weight.item())
    with averaged_weights(resumed), averaged_weights(through):
        assert module.layer.weight.item() == pytest.approx(reference.layer.weight.item())
        assert module.norm.running_mean.item() == pytest.approx(reference.norm.running_mean.item())


@pytest.mark.filterwarnings("ignore")
def test_an_interrupted_validation_gives_the_weights_back(tmp_path):
    trainer, module = train(tmp_path, 4)
    callback = trainer.callbacks[0]
    callback.on_validation_epoch_start(trainer, module)
    assert module.layer.weight.item() != module.history[-1]
    callback.on_exception(trainer, module, KeyboardInterrupt())
    assert module.layer.weight.item() == module.history[-1]


@pytest.mark.filterwarnings("ignore")
def test_without_averaging_nothing_changes(tmp_path):
    trainer, module = train(tmp_path, 4)
    trainer.callbacks.clear()
    with averaged_weights(trainer):
        assert module.layer.weight.item() == module.history[-1]
    assert module.layer.weight.item() == module.history[-1]


def test_frozen_networks_are_shared_by_copies(guided_checkpoint):
    semantics = FrozenSemantics.from_checkpoint(str(guided_checkpoint))
    assert copy.deepcopy({"semantics": semantics})["semantics"] is semantics
