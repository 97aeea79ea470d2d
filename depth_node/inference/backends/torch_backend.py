# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The networks as PyTorch modules, on the CPU or a GPU: every other back end is made from it and held to it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from depth_node.checkpoints.depth import Checkpoint, CheckpointInfo, load_checkpoint
from depth_node.inference.backends.interface import Backend, Outputs
from depth_node.inference.device import PRECISIONS, choose_device, choose_precision, prepare_model
from depth_node.inference.prediction import StageClock
from depth_node.networks.depth_model import DepthModel


class TorchBackend(Backend):
    """Loaded modules, stage by stage: what nothing needs does not run.

    Attributes:
        dtype: arithmetic of the convolutions.
        model: the networks on the device.
    """

    name = "torch"

    def __init__(
        self, checkpoint: Checkpoint, device: str = "auto", precision: str = "auto", compiled: bool = False
    ) -> None:
        """Take over a checkpoint's depth and semantic networks (they are moved and cast in place).

        Args:
            checkpoint: as loaded.
            device: 'auto', 'cpu', 'cuda' or 'cuda:N'.
            precision: 'auto', 'fp32', 'bf16' or 'fp16'.
            compiled: let torch.compile make kernels of the modules; the first pass then takes a minute.

        Raises:
            ConfigError: device or precision are not to be had.
        """
        self.info = checkpoint.info
        self.device = choose_device(device)
        self.dtype = choose_precision(precision, self.device)
        self.precision = {dtype: name for name, dtype in PRECISIONS.items()}[self.dtype]
        semantic = checkpoint.semantic
        self.model = prepare_model(DepthModel(checkpoint.depth, semantic, self.info.scale), self.device, self.dtype)
        self.classes = None if semantic is None else semantic.classes
        if compiled:
            self.name = "torch compiled"
            self.model.compile_networks()

    @torch.inference_mode()
    def run(self, batch: Tensor, scales: int, wants_logits: bool, clock: StageClock | None = None) -> Outputs:
        """See `Backend.run`."""
        semantic = self.model.semantics(batch, wanted=wants_logits)
        if semantic is not None and clock is not None:
            clock.lap("semantic")
        disparities = self.model.disparities(batch, semantic, scales)
        return Outputs(disparities, None if semantic is None else semantic.logits)


def load_torch_backend(
    path: Path, info: CheckpointInfo, device: str, precision: str, compiled: bool = False
) -> TorchBackend:
    """The networks of a checkpoint file, with a description that may have another input size.

    Raises:
        CheckpointError: the file cannot be read.
        ConfigError: device or precision are not to be had.
    """
    loaded = load_checkpoint(path, with_pose=False)
    height, width = info.network.height, info.network.width
    loaded.depth.config = dataclasses.replace(loaded.depth.config, height=height, width=width)
    return TorchBackend(dataclasses.replace(loaded, info=info), device, precision, compiled)
