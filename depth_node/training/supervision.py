# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a run learns from besides neighbouring pictures: can it, and what metric scale does it get from that."""

from __future__ import annotations

from depth_node.camera.network_view import TrainingCamera
from depth_node.config.training import TrainConfig
from depth_node.datasets.triplets import TripletDataset
from depth_node.errors import TrainingError
from depth_node.training.frozen_networks import FrozenSemantics, Teacher

VELOCITY, STEREO = "velocity", "stereo_baseline"
SAME_SCALE = 0.05
"""Relative difference up to which two scales are one; both are measured."""


def check_supervision(config: TrainConfig, train: TripletDataset, semantics: FrozenSemantics | None) -> None:
    """Find out, before a run folder is made, whether the data have what the settings ask for.

    Raises:
        TrainingError: they have not, or two settings contradict each other.
    """
    if config.loss.mask_moving:
        if semantics is None:
            raise TrainingError("--loss.mask_moving needs a semantic network: name its checkpoint with --semantic")
        if not semantics.info.classes.moving_ids:
            raise TrainingError("the semantic network knows no moving class: leave --loss.mask_moving out")
    if config.loss.velocity > 0:
        if train.stereo:
            raise TrainingError("stereo pairs and --loss.velocity set two scales at once: leave one of them out")
        if not train.knows_distances():
            raise TrainingError("no frame has a speed and a time (oxts, timestamps.txt): set --loss.velocity 0")


def metric_scale(
    config: TrainConfig, train: TripletDataset, teacher: Teacher | None, camera: TrainingCamera
) -> tuple[float, str]:
    """Metres per network unit and where that comes from, as a checkpoint says it; 1 and 'none' where nothing tells.

    With velocity supervision the network predicts metres; with stereo pairs the baseline says what its unit is; a
    teacher hands over its own unit.

    Raises:
        TrainingError: the teacher's unit is another than the one that speed or baseline set.
    """
    theirs = teacher.scale(camera) if teacher else (1.0, "none")
    if not config.distillation.photometric or not (config.loss.velocity > 0 or train.stereo):
        return theirs
    ours = (1.0, VELOCITY) if config.loss.velocity > 0 else (train.scale, STEREO)
    if teacher and (theirs[1] == "none" or abs(theirs[0] / ours[0] - 1) > SAME_SCALE):
        unit = "an unknown unit" if theirs[1] == "none" else f"a unit of {theirs[0]:.3g} m"
        raise TrainingError(
            f"the teacher predicts in {unit}, {'the speed sets' if ours[1] == VELOCITY else 'stereo pairs set'} one of "
            f"{ours[0]:.3g} m: leave one of them out, or learn from the teacher alone with --teacher_only"
        )
    return ours
