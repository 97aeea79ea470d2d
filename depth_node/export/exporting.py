# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints to files for other programs: ONNX, PyTorch's own torch.export, or a lean checkpoint.

The suffix of the file decides. ONNX files carry the checkpoint's description as the metadata entry `depth_node`, .pt2
files as an extra file of that name.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.export import ExportedProgram

from depth_node.atomic_file import replacing
from depth_node.checkpoints.depth import METADATA_KEY, Checkpoint, save_checkpoint
from depth_node.checkpoints.depth_info import to_json
from depth_node.config.export import ExportConfig
from depth_node.errors import ConfigError, OutputError, first_line
from depth_node.export.check import check, onnx_runner, program_runner
from depth_node.export.exported_model import ExportedModel
from depth_node.inference.backends.graph import is_torch_too_old, missing_for_onnx, to_onnx, trace

CHECKPOINT, ONNX, PROGRAM = ".safetensors", ".onnx", ".pt2"


def check_request(path: Path, config: ExportConfig) -> None:
    """Find what is wrong with a request before any work is done.

    Raises:
        ConfigError: the suffix is unknown, a package is missing, or a setting does not suit the kind of file.
        OutputError: the path is a folder.
    """
    kinds = {CHECKPOINT, ONNX, PROGRAM}
    if path.suffix not in kinds:
        raise ConfigError(f"'{path.suffix}' of {path} is no known kind of file: use {', '.join(sorted(kinds))}")
    if path.is_dir():
        raise OutputError(f"{path} is a folder: name the file to write")
    if config.half and path.suffix != CHECKPOINT:
        raise ConfigError(
            f"half is for {CHECKPOINT} files only: leave it out, and let the runtime choose its precision"
        )
    if path.suffix == ONNX and (missing := missing_for_onnx()):
        raise ConfigError(f"{ONNX} files need the Python package {' and '.join(missing)}: pip install onnx onnxscript")
    if path.suffix == ONNX and is_torch_too_old():
        raise ConfigError(f"{ONNX} files need a later torch than {torch.__version__}: pip install --upgrade torch")


def export_checkpoint(checkpoint: Checkpoint, path: Path, config: ExportConfig) -> dict[str, float] | None:
    """Write a checkpoint for other programs, without its pose network: the whole file appears at once or not at all.

    Args:
        checkpoint: as loaded; its networks get no gradients any more.
        path: *.onnx, *.pt2 or *.safetensors.
        config: how.

    Returns:
        The largest difference between the written and the given network for each output (see `export_check`), or None
        where they were not compared: on request, or because onnxruntime is not installed.

    Raises:
        ConfigError: see `check_request`.
        CheckpointError: the checkpoint cannot be written.
        OutputError: the file cannot be written, the network cannot be exported, or what was written is not the same.
    """
    check_request(path, config)
    if path.suffix == CHECKPOINT:
        save_checkpoint(path, checkpoint.info, checkpoint.depth, semantic=checkpoint.semantic, half=config.half)
        return None
    network = ExportedModel(checkpoint.depth, checkpoint.semantic, checkpoint.info.scale)
    description = to_json(dataclasses.replace(checkpoint.info, network=network.config))
    with replacing(path) as temporary:
        temporary.touch()  # a folder that cannot be written to shows now, not after minutes
        write, run = (_write_onnx, onnx_runner) if path.suffix == ONNX else (_write_program, program_runner)
        try:
            program = trace(network, network.config.height, network.config.width, config.batch)
            write(temporary, program, network.outputs, description)
        except OSError:
            raise
        except Exception as error:  # whatever the exporters come across in a network's own code
            name = checkpoint.info.network.architecture
            raise OutputError(f"{name} cannot be exported to {path}: {first_line(error)}") from error
        if not config.verify or (path.suffix == ONNX and importlib.util.find_spec("onnxruntime") is None):
            return None
        return check(network, run(temporary), config.batch)


def _write_onnx(path: Path, program: ExportedProgram, outputs: Sequence[str], description: str) -> None:
    import onnx

    model = to_onnx(program, outputs)
    model.doc_string = " ".join((ExportedModel.forward.__doc__ or "").split())
    onnx.helper.set_model_props(model, {METADATA_KEY: description})
    onnx.save(model, path)


def _write_program(path: Path, program: ExportedProgram, _: Sequence[str], description: str) -> None:
    torch.export.save(program, path, extra_files={METADATA_KEY: description})
