# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Adam over both networks, and when its rates fall (docs/papers.md, Training settings)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from depth_node.config.training import TrainConfig


def build_optimizer(
    config: TrainConfig,
    depth: nn.Module,
    pose: nn.Module,
    steps: int,
    done: int = 0,
    focal: nn.Module | None = None,
) -> tuple[torch.optim.Optimizer, LambdaLR]:
    """Adam with a rate for each network, and its schedule, counted in steps.

    Args:
        config: rates and decay.
        depth: depth network.
        pose: pose network.
        steps: length of the run.
        done: steps of it that are behind.
        focal: learnt focal length, where there is one.
    """
    rates = (config.learning_rate, config.pose_learning_rate or config.learning_rate)
    weights = [list(network.parameters()) for network in (depth, pose)]
    if rates[0] == rates[1]:  # one group, as earlier versions had: their runs can be resumed
        weights = [[*weights[0], *weights[1]]]
    groups: list[dict[str, Any]] = [{"params": group, "lr": rate} for group, rate in zip(weights, rates, strict=False)]
    if focal is not None:
        groups.append({"params": list(focal.parameters()), "lr": config.intrinsics_learning_rate})
    optimizer = torch.optim.Adam(
        groups,
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
