# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the network of a checkpoint predicts for a batch of training pictures."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from depth_node.camera.network_input import to_network_input
from depth_node.checkpoints.depth import load_checkpoint
from depth_node.config.resampling import ResamplingConfig
from depth_node.distributed import local_rank, world_size
from depth_node.errors import CheckpointError, ConfigError
from depth_node.inference.device import choose_device, choose_precision, prepare_model
from depth_node.networks.depth_model import DepthModel
from depth_node.networks.semantic import SemanticNetwork


class DepthPredictor:
    """The depth network of a checkpoint and, where it has one, its semantic network.

    Attributes:
        height: of the network's input, pixels.
        width: of the network's input, pixels.
        device: where it runs.
    """

    def __init__(self, checkpoint: Path, config: ResamplingConfig) -> None:
        """Load a checkpoint.

        Raises:
            CheckpointError: it cannot be read, or lacks the semantic network that `config.candidates` asks for.
            ConfigError: device or precision are not to be had.
        """
        loaded = load_checkpoint(checkpoint, with_pose=False)
        if config.candidates == "network" and loaded.semantic is None:
            raise CheckpointError(f"{checkpoint} has no semantic network: use --candidates labels or geometric")
        self.height, self.width = loaded.info.network.height, loaded.info.network.width
        self.device = _device(config.device)
        dtype = choose_precision(config.precision, self.device)
        self._model = prepare_model(DepthModel(loaded.depth, loaded.semantic), self.device, dtype)
        self._finds_ground = loaded.semantic is not None and config.candidates in ("auto", "network")
        ground = () if loaded.semantic is None else loaded.semantic.classes.ground_ids
        self._ground_ids = torch.tensor(ground, dtype=torch.uint8, device=self.device)

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Depth of pictures, and what the semantic network takes for ground.

        Args:
            images: (B, H, W, 3) uint8 RGB at the network's size.

        Returns:
            (B, 1, H, W) float32 depth in network units, and (B, H, W) bool, or None without a semantic network.
        """
        batch = to_network_input(images.to(self.device))
        semantic = self._model.semantics(batch, wanted=self._finds_ground)
        depth = self._model.metres(self._model.disparity(batch, semantic))
        if semantic is None or not self._finds_ground:
            return depth, None
        labels = SemanticNetwork.labels(semantic.logits, self.height, self.width)
        return depth, torch.isin(labels, self._ground_ids)


def _device(name: str) -> torch.device:
    """The device of this process: each of several processes on a machine takes the GPU of its number."""
    device = choose_device(name)
    if device.type == "cuda" and world_size() > 1:
        try:
            return choose_device(f"cuda:{local_rank()}")
        except ConfigError:
            raise ConfigError("more processes than GPUs: start as many as there are, or add --device cpu") from None
    return device
