# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether what is installed here can run the nodes, train and simulate; nothing of ROS is imported."""

from __future__ import annotations

import importlib.util
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from depth_node import __version__
from depth_node.cache_folder import VARIABLE, cache_folder
from depth_node.checkpoints.depth_info import read_info
from depth_node.checkpoints.shipped import SHIPPED
from depth_node.errors import CheckpointError
from depth_node.installed import version_of
from depth_node.ros.doctor.finding import BAD, NOTE, OK, WARN, Finding

OPTIONAL = {
    "openvino": ("a network that is several times as fast on a CPU", "pip install openvino"),
    "lightning": ("training", "pip install 'depth_node[train]'"),
    "trimesh": ("the simulated street", "pip install 'depth_node[train]'"),
    "onnxruntime": ("teachers and back ends in ONNX files", "pip install onnxruntime"),
    "rerun": ("`depth view`", "pip install 'depth_node[view]'"),
    "transformers": ("teachers from the hub", "pip install 'depth_node[teachers]'"),
}
BUSY = 1.0
"""Load per core from which latencies are others' than on an idle machine."""


def check_installation() -> Iterator[Finding]:
    """All findings about this machine but for its middleware."""
    yield Finding(OK, "depth_node", f"{__version__}, Python {platform.python_version()}, {platform.machine()}")
    yield from _torch()
    yield from _packages()
    yield from _checkpoints()
    yield _cache()
    yield _load(os.getloadavg()[0], os.cpu_count() or 1)


def _torch() -> Iterator[Finding]:
    if importlib.util.find_spec("torch") is None:
        yield Finding(NOTE, "torch", "not installed: exported networks run, checkpoints do not", "pip install torch")
        return
    import torch

    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        yield Finding(OK, "torch", f"{torch.__version__}, on {torch.cuda.get_device_name(0)}, {memory:.0f} GiB")
        return
    yield Finding(
        NOTE,
        "torch",
        f"{torch.__version__}, on the CPU ({torch.get_num_threads()} threads)",
        "with an NVIDIA card: `nvidia-smi` must list it, and torch be built for its CUDA" if _has_card() else "",
    )


def _has_card() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or Path("/dev/nvidia0").exists()


def _packages() -> Iterator[Finding]:
    for name, (use, remedy) in OPTIONAL.items():
        if importlib.util.find_spec(name) is not None:
            yield Finding(OK, name, version_of(name) or "installed")
        else:
            yield Finding(NOTE, name, f"not installed; it is for {use}", remedy)


def _checkpoints() -> Iterator[Finding]:
    for name in SHIPPED:
        try:
            network = read_info(name).network
            yield Finding(OK, "checkpoint", f"'{name}': {network.architecture}, {network.width}x{network.height}")
        except CheckpointError as error:
            yield Finding(BAD, "checkpoint", str(error), "install the package again: its weights are missing")


def _cache() -> Finding:
    folder = cache_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(there, os.W_OK):
        return Finding(OK, "cache", str(folder))
    return Finding(
        WARN, "cache", f"{folder} cannot be written: networks are compiled with every start", f"set {VARIABLE}"
    )


def _load(load: float, cores: int) -> Finding:
    text = f"{cores} cores, load {load:.1f}"
    if load / cores < BUSY:
        return Finding(OK, "processor", text)
    return Finding(
        WARN, "processor", f"{text}: others are at work, latencies will be longer", "see `depth bench --busy`"
    )
