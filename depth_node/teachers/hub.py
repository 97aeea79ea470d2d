# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A teacher from the hub of Hugging Face, or a folder in its layout, by the library transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from depth_node.config.teacher import DEPTH, INVERSE_DEPTH, TeacherConfig
from depth_node.errors import TeacherError
from depth_node.inference.device import choose_device
from depth_node.teachers.contract import Origin, network_input, revision_of, told_for

PATCH = 14
GIVES = {"zoedepth": DEPTH, "depth_pro": DEPTH, "dpt": INVERSE_DEPTH}
"""What models give whose configuration does not say."""


class HubTeacher:
    """See `Teacher`."""

    def __init__(self, name: str, config: TeacherConfig) -> None:
        """Load a model by the name of its repository or folder.

        Raises:
            TeacherError: transformers is missing, or there is no such model, or it does not predict depth.
            ConfigError: its device is not there.
        """
        try:
            from transformers import AutoModelForDepthEstimation
        except ImportError:
            raise TeacherError(
                "a teacher from the hub needs transformers: pip install 'depth_node[teachers]'"
            ) from None
        try:
            # Only safetensors are read: other files of the hub can run code.
            model: Any = AutoModelForDepthEstimation.from_pretrained(name, use_safetensors=True)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise TeacherError(f"cannot load the teacher hf:{name}: {reason}") from None
        self._device = choose_device(config.device)
        self._model = model.eval().to(self._device)
        said = getattr(model.config, "depth_estimation_type", None)
        own = {"metric": DEPTH, "relative": INVERSE_DEPTH}.get(str(said)) or GIVES.get(
            model.config.model_type, INVERSE_DEPTH
        )
        self.gives = own if config.gives == "auto" else config.gives
        self._patch = int(getattr(getattr(model.config, "backbone_config", None), "patch_size", None) or PATCH)
        self._config = config
        self.origin = Origin(f"hf:{name}", _revision(name, model), _licence(name))

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8], K: NDArray[np.float64]) -> NDArray[np.float32]:
        """See `Teacher`."""
        width = max(1, round(self._config.width / self._patch)) * self._patch
        height = max(1, round(width * image.shape[0] / image.shape[1] / self._patch)) * self._patch
        seen = torch.from_numpy(network_input(image, width, height)).to(self._device)
        found = self._model(pixel_values=seen).predicted_depth.squeeze().float().cpu().numpy()
        if self.gives != DEPTH:
            return np.asarray(found, np.float32)
        depth = told_for(found, float(K[0, 0]), width, image.shape[1], self._config.focal)
        return np.where(depth > 0, depth, np.float32(np.nan))


def _revision(name: str, model: Any) -> str:
    """The commit of a repository; of a folder the start of its weights' sha256."""
    weights = Path(name) / "model.safetensors"
    if weights.is_file():
        return revision_of(weights)
    return str(getattr(model.config, "_commit_hash", None) or "unknown")


def _licence(name: str) -> str:
    """What the model card says; empty where it does not, or there is none."""
    from huggingface_hub import ModelCard

    readme = Path(name) / "README.md"
    if Path(name).is_dir() and not readme.is_file():
        return ""
    try:
        card = ModelCard.load(str(readme) if readme.is_file() else name)
    except Exception:  # no card, no network, a card that is no card: nothing says
        return ""
    return str(getattr(card.data, "license", None) or "")
