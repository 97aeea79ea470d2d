# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Cityscapes networks that segmentation_models_pytorch publishes on the Hugging Face hub, by name.

Only their JSON description and safetensors weights are read; nothing is ever unpickled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from depth_node.checkpoints.container import fill
from depth_node.checkpoints.semantic_info import SemanticInfo
from depth_node.config.classes import CITYSCAPES
from depth_node.config.semantic import SemanticConfig
from depth_node.errors import CheckpointError, ConfigError, first_line
from depth_node.networks.pretrained import WEIGHTS_FILE, fetch_hub_file
from depth_node.networks.semantic import SemanticNetwork

OWNER = "smp-hub/"
CONFIG_FILE = "config.json"
ARCHITECTURES = {"FPN": "fpn", "Segformer": "segformer"}
DEFAULT_SIZE = 1024


def is_hub_name(path: str | Path) -> bool:
    """Whether `path` means a network on the hub: a name of smp-hub and no file of this machine."""
    return re.fullmatch(re.escape(OWNER) + r"[\w.-]+", str(path)) is not None and not Path(path).exists()


def load_hub(name: str) -> tuple[SemanticInfo, SemanticNetwork]:
    """Fetch a network, from the local cache where it has been fetched before.

    Args:
        name: such as 'smp-hub/segformer-b0-768x768-city-160k'.

    Returns:
        Its description, and the network: frozen, in evaluation mode, float32, on the CPU.

    Raises:
        CheckpointError: the hub cannot be reached (found out within seconds), has no such network, or the network is
            none of Cityscapes' 19 classes.
    """
    try:
        record = json.loads(Path(fetch_hub_file(name, CONFIG_FILE)).read_text(encoding="utf-8"))
        network = SemanticNetwork(_config(record), CITYSCAPES)
        tensors = load_file(fetch_hub_file(name, WEIGHTS_FILE))
    except (ConfigError, KeyError, TypeError, ValueError, AttributeError, SafetensorError) as error:
        raise CheckpointError(f"{name} is no network that depth_node knows: {first_line(error)}") from error
    except OSError as error:
        raise CheckpointError(
            f"cannot fetch {name} from the hub ({first_line(error)}): connect once, or give a *.safetensors file of "
            "`depth train-semantic`"
        ) from error
    # Published networks upsample their scores themselves, without weights, so the names are the same.
    fill(network.model, tensors, "", Path(name))
    height, width = _training_size(name)
    return SemanticInfo(network.config, CITYSCAPES, height, width, training={"source": name}), network.freeze()


def _config(record: Mapping[str, Any]) -> SemanticConfig:
    kind = record.get("_model_class")
    architecture = ARCHITECTURES.get(kind or "")
    if architecture is None or record.get("encoder_depth", 5) != 5 or record.get("in_channels", 3) != 3:
        raise ConfigError(f"it is a {kind}, known are {' and '.join(ARCHITECTURES)} of RGB images")
    if record.get("classes") != len(CITYSCAPES):
        raise ConfigError(f"it has {record.get('classes')} classes, Cityscapes has {len(CITYSCAPES)}")
    sizes = {"segmentation_channels": record["decoder_segmentation_channels"]}
    if architecture == "fpn":
        sizes["pyramid_channels"] = record["decoder_pyramid_channels"]
    return SemanticConfig(architecture=architecture, encoder=record["encoder_name"], **sizes)


def _training_size(name: str) -> tuple[int, int]:
    """Height and width of the training crops, which the networks' names tell."""
    found = re.search(r"-(\d+)x(\d+)-", name)
    return (int(found[1]), int(found[2])) if found else (DEFAULT_SIZE, DEFAULT_SIZE)
