# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a person wants to know of a checkpoint before using it, a fact a line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.container import read_container
from depth_node.checkpoints.depth_info import METADATA_KEY, CheckpointInfo, from_json
from depth_node.checkpoints.exported import is_exported, read_exported_info

PARTS = {"depth.": "depth", "pose.": "pose", "semantic.": "semantic"}


def describe(path: str | Path) -> dict[str, str]:
    """What to show of a depth checkpoint: name of each fact to its text, in order; raises CheckpointError."""
    path = located(path)
    if is_exported(path):
        info, networks = read_exported_info(path), "one graph, for the live node on a CPU and for other programs"
    else:
        metadata, tensors = read_container(path)
        info, networks = from_json(metadata.get(METADATA_KEY), path), _counts(tensors)
    network = info.network
    facts = {
        "file": f"{path}, {path.stat().st_size / 1e6:.1f} MB, written by depth_node {info.package_version}",
        "networks": networks,
        "architecture": network.architecture + (f" on {network.encoder}" if network.encoder else ""),
        "input": f"{network.width}x{network.height}, depth {network.min_depth:g} to {network.max_depth:g} units",
        "guided by": f"{info.semantic.config.encoder}, {len(info.semantic.classes.names)} classes"
        if info.semantic
        else "nothing",
        "camera": _camera(info),
        "metres": f"{info.scale:.6g} per unit, from {info.scale_source}"
        if info.scale_source != "none"
        else "unknown: relative depth until `scale.source` or `depth evaluate --store_scale` says",
    }
    return facts | _origin(info.training) | {"licence": _licence(info)}


def _counts(tensors: Mapping[str, Any]) -> str:
    """How large each of the networks is."""
    counts = {
        name: sum(tensor.numel() for key, tensor in tensors.items() if key.startswith(prefix))
        for prefix, name in PARTS.items()
    }
    return ", ".join(f"{name} {count / 1e6:.2f} M values" for name, count in counts.items() if count)


def _camera(info: CheckpointInfo) -> str:
    camera = info.camera
    if camera is None:
        return "unknown: metres do not follow the lens"
    learnt = ", learnt in training" if info.network.learn_intrinsics else ""
    return f"focal length {camera.fx / camera.width:.3f} of the width at {camera.width}x{camera.height}{learnt}"


def _origin(training: Mapping[str, Any]) -> dict[str, str]:
    """What the training's own summary says; a file without one says so."""
    teacher = training.get("teacher") or (training.get("settings") or {}).get("distillation.teacher")
    metrics = training.get("metrics") or {}
    scores = ", ".join(f"{name} {value:.4g}" for name, value in metrics.items() if isinstance(value, int | float))
    return {
        "learnt from": str(training.get("supervision") or _source(training) or "not said in the file"),
        "teacher": str(teacher or "none named"),
        "steps": str(training.get("steps", "not said")),
        "scores": scores or "none stored",
    }


def _source(training: Mapping[str, Any]) -> str:
    """Whose weights were imported, and which."""
    which = training.get("name") or training.get("files")
    return f"{training['imported_from']}'s authors, {which}" if "imported_from" in training else ""


def _licence(info: CheckpointInfo) -> str:
    """The licence; of weights that were imported and do not say it, it is not the user's to choose."""
    theirs = "imported_from" in info.training
    whose = "that of the weights' authors" if theirs else "weights that you trained are yours"
    return info.licence or str(info.training.get("licence") or f"not said in the file: {whose}")
