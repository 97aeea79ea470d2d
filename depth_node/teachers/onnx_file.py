# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A teacher in an ONNX file: one picture in; an output with `depth` in its name, perhaps one with `sky`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_node.config.teacher import DEPTH, TeacherConfig
from depth_node.errors import TeacherError
from depth_node.teachers.contract import Origin, network_input, revision_of, told_for

MULTIPLE = 14
"""Sizes that are free are multiples of a vision transformer's patch."""
LICENCE_KEYS = ("license", "licence")


class OnnxTeacher:
    """See `Teacher`."""

    def __init__(self, path: Path, config: TeacherConfig) -> None:
        """Open a file.

        Raises:
            TeacherError: ONNX Runtime is missing, the file is none, or has no picture as its input.
        """
        try:
            import onnxruntime
        except ImportError:
            raise TeacherError(f"{path} needs ONNX Runtime: pip install onnxruntime") from None
        try:
            revision = revision_of(path)
            self._session = onnxruntime.InferenceSession(str(path), providers=_providers(config.device))
        except OSError as error:
            raise TeacherError(f"cannot read {path}: {error.strerror}") from None
        except Exception as error:  # ONNX Runtime's own kinds share no base
            raise TeacherError(f"{path} cannot be run as ONNX: {str(error).splitlines()[0]}") from None
        properties = self._session.get_modelmeta().custom_metadata_map
        licence = next((properties[key] for key in LICENCE_KEYS if key in properties), "")
        self.origin = Origin(f"onnx:{path.name}", revision, licence)
        self.gives = DEPTH if config.gives == "auto" else config.gives
        self._config = config
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) not in (4, 5):
            shapes = ", ".join(str(each.shape) for each in inputs)
            raise TeacherError(f"{path} takes {shapes}: a teacher takes one picture, 1 x 3 x H x W")
        self._input = inputs[0]
        names = [output.name for output in self._session.get_outputs()]
        self._depth = next((name for name in names if "depth" in name.lower()), names[0])
        self._sky = next((name for name in names if "sky" in name.lower()), None)

    def __call__(self, image: NDArray[np.uint8], K: NDArray[np.float64]) -> NDArray[np.float32]:
        """See `Teacher`."""
        *_, height, width = self._input.shape
        if not isinstance(width, int):
            width = round(self._config.width / MULTIPLE) * MULTIPLE
        if not isinstance(height, int):
            height = max(1, round(width * image.shape[0] / image.shape[1] / MULTIPLE)) * MULTIPLE
        seen = network_input(image, width, height)
        if len(self._input.shape) == 5:  # a number of views comes before the channels
            seen = seen[:, None]
        wanted = [self._depth] + ([self._sky] if self._sky else [])
        answers = [
            np.asarray(answer, np.float32).squeeze() for answer in self._session.run(wanted, {self._input.name: seen})
        ]
        found = answers[0]
        if found.ndim != 2:
            raise TeacherError(f"{self.origin.name} answers in the shape {found.shape}: a teacher gives a depth image")
        if self.gives != DEPTH:
            return found
        depth = told_for(found, float(K[0, 0]), width, image.shape[1], self._config.focal)
        if self._sky:
            depth = np.where(answers[1] > self._config.sky, np.float32(np.inf), depth)
        return np.where(depth > 0, depth, np.float32(np.nan))


def _providers(device: str) -> list[str]:
    cpu, cuda = "CPUExecutionProvider", "CUDAExecutionProvider"
    import onnxruntime

    there = onnxruntime.get_available_providers()
    if device == "cuda" and cuda not in there:
        raise TeacherError("this ONNX Runtime has no CUDA: pip install onnxruntime-gpu, or --teacher.device cpu")
    return [cpu] if device == "cpu" or cuda not in there else [cuda, cpu]
