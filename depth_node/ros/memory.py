"""How much memory the node holds."""

from __future__ import annotations

import resource
from pathlib import Path

import torch


def memory_in_use(device: torch.device) -> int:
    """Bytes held on the network's device: torch's share of the GPU, or this process's resident memory."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
