# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Adam over both networks, and when its rates fall (docs/papers.md, Training settings)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from depth_node.config.training import TrainConfig


def build_optimizer(
    config: TrainConfig, depth: nn.Module, pose: nn.Module, steps: int, done: int = 0
) -> tuple[torch.optim.Optimizer, LambdaLR]:
    """Adam with a rate for each network, and its schedule, counted in steps.

    Args:
        config: rates and decay.
        depth: depth network.
        pose: pose network.
        steps: length of the run.
        done: steps of it that are behind.
    """
    rates = (config.learning_rate, config.pose_learning_rate or config.learning_rate)
    weights = [list(network.parameters()) for network in (depth, pose)]
    if rates[0] == rates[1]:  # one group, as earlier versions had: their runs can be resumed
        weights = [[*weights[0], *weights[1]]]
    optimizer = torch.optim.Adam(
        [{"params": group, "lr": rate} for group, rate in zip(weights, rates, strict=False)],
        lr=rates[0],
        # One pass over the weights: twice as fast on the CPU, too. fp16's scaler cannot clip gradients for it.
        fused=not config.clip_gradient,
    )
    falls = decay_steps(config, steps)
    return optimizer, schedule(optimizer, lambda step: config.decay_factor ** sum(fall <= step for fall in falls), done)


def schedule(optimizer: torch.optim.Optimizer, factor: Callable[[int], float], done: int = 0) -> LambdaLR:
    """Multiplies the optimizer's rates by a factor of the step.

    Args:
        optimizer: with the rates of the first step.
        factor: of each step, from 0.
        done: steps that are behind.
    """
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    return LambdaLR(optimizer, factor, last_epoch=done - 1)


def decay_steps(config: TrainConfig, steps: int) -> list[int]:
    """The steps of a run after which the rates fall: once at a share of it, or each time that share has passed."""
    share = config.decay_at
    times = math.ceil(1 / share - 1e-9) - 1 if config.decay_repeats and share > 0 else 1
    return [max(1, round(share * number * steps)) for number in range(1, times + 1)]
