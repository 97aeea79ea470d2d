# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""ImageNet backbones by timm; without a network connection training starts from random weights and says so."""

from __future__ import annotations

import logging
import urllib.request
from typing import Any

import timm
from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache

logger = logging.getLogger(__name__)

WEIGHTS_FILE = "model.safetensors"
CONNECT_TIMEOUT = 5.0


def create_backbone(name: str, pretrained: bool, **options: Any) -> tuple[Any, bool]:
    """Make a timm model, with ImageNet weights where they can be had.

    Args:
        name: timm model and weights, such as 'resnet18.tv_in1k'.
        pretrained: load ImageNet weights.
        options: passed on to `timm.create_model`.

    Returns:
        The model and whether it has ImageNet weights; when they cannot be fetched, one warning is logged.
    """
    if pretrained:
        try:
            overlay = {"file": fetch_weights(name)}
            return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options), True
        except Exception as error:  # whatever the hub, a proxy or a damaged cache raises, training can go on
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            logger.warning("no ImageNet weights for %s, starting from random ones: %s", name, reason)
    return timm.create_model(name, pretrained=False, **options), False


def fetch_weights(name: str) -> str:
    """Path of a timm model's weights: from the local cache, else downloaded; see `fetch_hub_file`."""
    return fetch_hub_file("timm/" + name, WEIGHTS_FILE)


def fetch_hub_file(repository: str, name: str, revision: str | None = None) -> str:
    """Path of a file of a hub repository: from the local cache, else downloaded.

    Args:
        repository: 'owner/name'.
        name: file in it.
        revision: commit or branch; without it, the main branch.

    Raises:
        OSError: the hub cannot be reached (found out within seconds: the hub client alone would retry for most
            of a minute), or the download failed.
    """
    cached = try_to_load_from_cache(repository, name, None, revision)
    if isinstance(cached, str):
        return cached
    probe = urllib.request.Request(constants.ENDPOINT, method="HEAD")
    urllib.request.urlopen(probe, timeout=CONNECT_TIMEOUT).close()
    return hf_hub_download(repository, name, revision=revision)
