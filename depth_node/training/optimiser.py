"""Adam over both networks, and when its rates fall (fact sheet A.5, B.6)."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import MultiStepLR

from depth_node.config.training import TrainConfig


def build_optimiser(
    config: TrainConfig, depth: nn.Module, pose: nn.Module, steps: int
) -> tuple[torch.optim.Optimizer, MultiStepLR]:
    """Adam with a rate for each network, and its schedule, counted in steps.

    Args:
        config: rates and decay.
        depth: depth network.
        pose: pose network.
        steps: length of the run.
    """
    rates = (config.learning_rate, config.pose_learning_rate or config.learning_rate)
    weights = [list(network.parameters()) for network in (depth, pose)]
    if rates[0] == rates[1]:  # one group, as earlier versions had: their runs can be resumed
        weights = [[*weights[0], *weights[1]]]
    optimiser = torch.optim.Adam(
        [{"params": group, "lr": rate} for group, rate in zip(weights, rates, strict=False)],
        lr=rates[0],
        # One pass over the weights: twice as fast on the CPU, too. Lightning cannot clip gradients for it.
        fused=not config.clip_gradient,
    )
    return optimiser, MultiStepLR(optimiser, decay_steps(config, steps), config.decay_factor)


def decay_steps(config: TrainConfig, steps: int) -> list[int]:
    """The steps of a run after which the rates fall: once at a share of it, or each time that share has passed."""
    share = config.decay_at
    times = math.ceil(1 / share - 1e-9) - 1 if config.decay_repeats and share > 0 else 1
    return [max(1, round(share * number * steps)) for number in range(1, times + 1)]
