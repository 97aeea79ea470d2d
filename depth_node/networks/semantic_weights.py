# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Published weights of semantic encoders, by the names of segmentation_models_pytorch."""

from __future__ import annotations

import logging
from typing import Any

import timm
from safetensors.torch import load_file

from depth_node.errors import ConfigError, first_line
from depth_node.networks.pretrained import WEIGHTS_FILE, create_backbone, fetch_hub_file, packaged_weights

logger = logging.getLogger(__name__)

TIMM = "tu-"
"""What the names of timm's encoders start with in segmentation_models_pytorch."""


def segmentation_models() -> Any:
    """The module segmentation_models_pytorch, which a live node without a semantic network does not need.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import segmentation_models_pytorch
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"a semantic network needs the package segmentation-models-pytorch ({error}): "
            "pip install segmentation-models-pytorch"
        ) from None
    return segmentation_models_pytorch


def load_imagenet(encoder: Any, name: str) -> bool:
    """Load ImageNet weights into a freshly built encoder.

    Args:
        encoder: an encoder of segmentation_models_pytorch.
        name: its name there.

    Returns:
        Whether there were any; when not, one warning is logged and the encoder is left as it is.
    """
    try:
        if name.startswith(TIMM):
            _load_timm(encoder, name.removeprefix(TIMM))
        else:
            _load_own(encoder, name)
    except Exception as error:  # whatever the hub, a proxy or a damaged cache raises, training can go on
        reason = first_line(error)
        logger.warning("no ImageNet weights for %s, starting from random ones: %s", name, reason)
        return False
    return True


def _load_timm(encoder: Any, name: str) -> None:
    known = timm.get_pretrained_cfg(name)
    if known is None or not known.hf_hub_id:
        raise OSError(f"timm publishes none for {name}")
    if packaged_weights(name):
        info = encoder.model.feature_info
        whole, found = create_backbone(name, True, features_only=True, out_indices=info.out_indices)
        if not found:
            raise OSError("the installed package's do not fit")
        encoder.model.load_state_dict(whole.state_dict())
        return
    # timm renames and drops tensors as its feature extractors need it, so it makes the backbone again.
    overlay = {"file": fetch_hub_file(known.hf_hub_id, WEIGHTS_FILE)}
    info = encoder.model.feature_info
    whole = timm.create_model(
        name, pretrained=True, pretrained_cfg_overlay=overlay, features_only=True, out_indices=info.out_indices
    )
    encoder.model.load_state_dict(whole.state_dict())


def _load_own(encoder: Any, name: str) -> None:
    published = segmentation_models().encoders.encoders[name]["pretrained_settings"]
    weights = published.get("imagenet") or next(iter(published.values()))
    encoder.load_state_dict(load_file(fetch_hub_file(weights["repo_id"], WEIGHTS_FILE, weights["revision"])))
