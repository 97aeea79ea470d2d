# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What was made for one checkpoint on one machine: compiled networks, and notes on how they did.

Everything is found by the checkpoint's content, the input size, the versions of all that takes part and the processor.
What is missing or damaged is made again; the folder can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from depth_node import __version__
from depth_node.atomic_file import replacing
from depth_node.cache_folder import cache_folder
from depth_node.checkpoints.container import file_hash
from depth_node.config.network import NetworkConfig
from depth_node.errors import OutputError
from depth_node.installed import version_of

FORMAT = 1
"""Raised whenever what is kept means something else."""
TAKING_PART = ("torch", "openvino", "onnxruntime")
DIGITS = 16
DIGEST_BYTES = hashlib.sha256().digest_size
PROCESSOR_LINES = ("model name", "flags", "Features", "CPU part")


class ModelStore:
    """The files of one checkpoint at one size; writing fails quietly where the folder cannot be written to.

    Attributes:
        stem: how their names begin.
    """

    def __init__(self, checkpoint: Path, network: NetworkConfig) -> None:
        """Find the place of a checkpoint's networks.

        Args:
            checkpoint: the file; raises OSError where it cannot be read.
            network: with the input size.
        """
        size = f"{network.width}x{network.height}"
        parts = {"format": FORMAT, "depth_node": __version__, "size": size, "processor": _processor()}
        parts |= {name: version_of(name) for name in TAKING_PART} | {"checkpoint": file_hash(checkpoint)}
        key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:DIGITS]
        self.folder = cache_folder("networks")
        self.stem = f"{checkpoint.stem}_{size}_{key}"

    def read(self, name: str) -> bytes | None:
        """A kept model, or None where there is none that is whole."""
        try:
            data = self._model(name).read_bytes()
        except OSError:
            return None
        digest, model = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
        return model if hashlib.sha256(model).digest() == digest else None

    def has(self, name: str) -> bool:
        """Whether there is a file of a model, whole or not."""
        return self._model(name).exists()

    def write(self, name: str, model: bytes) -> str:
        """Keep a model; returns what went wrong, empty where nothing did."""
        try:
            with replacing(self._model(name)) as temporary:
                temporary.write_bytes(hashlib.sha256(model).digest() + model)
        except OutputError as error:
            return str(error)
        return ""

    def notes(self) -> dict[str, Any]:
        """All notes; none where they cannot be read."""
        try:
            found = json.loads(self._notes.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def note(self, name: str) -> Mapping[str, Any]:
        """One note; empty where there is none."""
        found = self.notes().get(name)
        return found if isinstance(found, dict) else {}

    def write_note(self, name: str, **values: Any) -> None:
        """Keep a note, in place of one of that name."""
        try:
            with replacing(self._notes) as temporary:
                temporary.write_text(json.dumps(self.notes() | {name: values}, indent=1))
        except OutputError:
            return

    @property
    def _notes(self) -> Path:
        return self.folder / f"{self.stem}.json"

    def _model(self, name: str) -> Path:
        return self.folder / f"{self.stem}_{name.replace(' ', '_')}.model"


def _processor() -> list[str]:
    """What tells processors apart that may not run each other's networks."""
    try:
        lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    except OSError:
        return [platform.machine(), platform.processor()]
    return [platform.machine(), *(line for line in lines if line.startswith(PROCESSOR_LINES))]
