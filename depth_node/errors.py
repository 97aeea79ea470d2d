# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The errors a user can cause. Each message is one line: what is wrong and what to do about it."""


class DepthNodeError(Exception):
    """Base of all errors that are reported to the user as one line, without a traceback."""


class ConfigError(DepthNodeError):
    """A setting is unknown, of the wrong type or out of bounds."""


class CheckpointError(DepthNodeError):
    """A checkpoint is missing, damaged or not one of ours."""


class CalibrationError(DepthNodeError):
    """A camera is uncalibrated or its calibration cannot be used."""


class EncodingError(DepthNodeError):
    """An image encoding is unknown or its data does not fit its header."""


class BagError(DepthNodeError):
    """A rosbag cannot be read, or lacks what was asked for."""


class SequenceError(DepthNodeError):
    """A KITTI-style sequence folder is missing something or malformed."""


class SimulationError(DepthNodeError):
    """A street cannot be simulated as asked."""


class TrainingError(DepthNodeError):
    """A training run cannot start or go on."""


class EvaluationError(DepthNodeError):
    """A prediction cannot be compared: no ground truth, no valid pixel or no matching frame."""


class RosError(DepthNodeError):
    """ROS 2 is missing or cannot be started as asked."""


class OutputError(DepthNodeError):
    """A result cannot be written where it was asked for."""


class DemoError(DepthNodeError):
    """A part of the demonstration did not come up."""


class ViewError(DepthNodeError):
    """What runs cannot be shown as asked."""


def first_line(error: BaseException) -> str:
    """An error's message cut to one line, or its type's name where it has none."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


class TeacherError(DepthNodeError):
    """A teacher cannot be loaded, may not be used, or its labels do not fit."""
