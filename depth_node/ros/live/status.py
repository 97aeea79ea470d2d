# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the live node says of its models, its scale and its view."""

from __future__ import annotations

from typing import Any

from depth_node.camera.network_view import NetworkView
from depth_node.config.live import NodeConfig
from depth_node.inference.engine import Engine


def fallback_scale(config: NodeConfig, estimator: Engine[Any]) -> tuple[float, str]:
    """Metres per network unit that hold until something measures them, and where they come from."""
    if config.scale.fixed and config.scale.source != "checkpoint":
        return config.scale.fixed, "fixed"
    return estimator.info.scale, f"checkpoint ({estimator.info.scale_source})"


def is_unscaled(config: NodeConfig, estimator: Engine[Any]) -> bool:
    """Whether nothing but a measurement makes metres of network units."""
    return fallback_scale(config, estimator)[1] == "checkpoint (none)"


def view_values(view: NetworkView) -> dict[str, Any]:
    """What the network sees of the camera's pictures, as diagnostic values."""
    seen = view.window.width * view.window.height / (view.picture[0] * view.picture[1])
    return {
        "part of the picture seen [%]": 100.0 * seen,
        "part of the network used [%]": 100.0 * view.target.width * view.target.height / (view.size[0] * view.size[1]),
        "focal length / training camera's": view.focal_ratio,
    }


def describe(estimator: Engine[Any], config: NodeConfig) -> dict[str, Any]:
    """Models, scale and memory as diagnostic values."""
    network, semantic = estimator.info.network, estimator.info.semantic
    classes = "none"
    if semantic is not None:
        classes = f"{semantic.config.architecture} {semantic.config.encoder}, {len(semantic.classes)} classes"
    return {
        "model": f"{network.architecture} {network.width}x{network.height}" + ", guided" * network.guided,
        "semantic network": classes,
        "checkpoint": str(config.checkpoint),
        "device": str(estimator.device),
        "backend": estimator.backend.name,
        "precision": estimator.backend.precision,
        "scale [m/unit]": float(estimator.scale),
        "scale source": fallback_scale(config, estimator)[1],
        "memory [MiB]": estimator.memory() / 2**20,
    }
