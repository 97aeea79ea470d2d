# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the network runs and in which arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from depth_node.config.backend import check_precision
from depth_node.errors import ConfigError

if TYPE_CHECKING:
    from depth_node.networks.depth_model import DepthModel

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(name: str = "auto") -> torch.device:
    """Device by name: 'auto' (CUDA where there is any, else the CPU), 'cpu', 'cuda' or 'cuda:N'.

    Raises:
        ConfigError: CUDA was asked for and is not there, or the name is unknown.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"device '{name}' is unknown: use auto, cpu, cuda or cuda:N")
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise ConfigError(f"device '{name}' was asked for, but torch sees {count} CUDA devices: use auto or cpu")
    return device


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Arithmetic of the convolutions; 'auto' is fp32 (which CUDA computes in TF32).

    bf16 about halves the time on a CPU with AVX-512 BF16 or AMX; compare its depth on your weights first.

    Raises:
        ConfigError: the name is unknown, or the device cannot compute in it.
    """
    return PRECISIONS[check_precision(name, device.type == "cpu")]


def prepare_model(model: DepthModel, device: torch.device, dtype: torch.dtype) -> DepthModel:
    """Move both networks of a model to their device for inference, in place, each as `prepare` does."""
    for network in model.children():
        prepare(network, device, dtype)
    return model


def prepare(network: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Move a network to its device for inference, in place.

    Convolutions are laid out channels last and cast to `dtype`; normalisations, kernel widths and disparity heads stay
    in float32, where rounding would show in the result. The encoder of a semantic network may be made of anything, and
    most layers want their input's type: there, only batch normalisations stay.
    """
    network.eval().requires_grad_(False).to(device)
    exact = _exact_parts(network)
    for module in network.modules():
        if module not in exact:
            own = (*module.parameters(recurse=False), *module.buffers(recurse=False))
            for tensor in filter(torch.is_floating_point, own):
                tensor.data = tensor.data.to(dtype)
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)
    return network


def _exact_parts(network: nn.Module) -> set[nn.Module]:
    """The modules of a network whose own weights and statistics keep float32."""
    from depth_node.networks.layers import DisparityHead
    from depth_node.networks.semantic import SemanticNetwork

    modules = set(network.modules())
    if isinstance(network, SemanticNetwork):
        return {network} | {module for module in modules if isinstance(module, nn.modules.batchnorm._BatchNorm)}
    heads = {conv for head in modules if isinstance(head, DisparityHead) for conv in head.modules()}
    convolutions = {module for module in modules if isinstance(module, (nn.Conv2d, nn.Conv3d, nn.Linear))}
    return modules - (convolutions - heads)
