# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a run learns from besides neighbouring pictures: can it, and what metric scale does it get from that."""

from __future__ import annotations

from pathlib import Path

from depth_node.camera.network_view import TrainingCamera
from depth_node.config.teacher import DEPTH
from depth_node.config.training import TrainConfig
from depth_node.datasets.triplets import TripletDataset
from depth_node.errors import SequenceError, TrainingError
from depth_node.kitti.layout import MANIFEST
from depth_node.recording.manifest import read_manifest
from depth_node.training.frozen_networks import FrozenSemantics, Teacher

VELOCITY, STEREO, CAMERA_HEIGHT, TEACHER = "velocity", "stereo_baseline", "camera_height", "teacher"
SAME_CAMERA = 0.02
"""Relative difference up to which two focal lengths are one camera's."""
SAME_SCALE = 0.05
"""Relative difference up to which two scales are one; both are measured."""


def check_supervision(config: TrainConfig, train: TripletDataset, semantics: FrozenSemantics | None) -> None:
    """Find out, before a run folder is made, whether the data have what the settings ask for.

    Raises:
        TrainingError: they have not, or two settings contradict each other.
    """
    if train.labels is None and not config.distillation.photometric and not config.distillation.teacher:
        raise TrainingError("nothing is left to learn from: name a teacher, or leave --teacher_only out")
    if config.loss.mask_moving:
        if semantics is None:
            raise TrainingError("--loss.mask_moving needs a semantic network: name its checkpoint with --semantic")
        if not semantics.info.classes.moving_ids:
            raise TrainingError("the semantic network knows no moving class: leave --loss.mask_moving out")
    if config.loss.camera_height > 0:
        if not config.camera_height:
            raise TrainingError("--loss.camera_height needs the camera's height above the road: add --camera_height")
        if train.stereo or config.loss.velocity > 0:
            other = "stereo pairs" if train.stereo else "--loss.velocity"
            raise TrainingError(f"{other} and --loss.camera_height set two scales at once: leave one of them out")
    if config.loss.velocity > 0:
        if train.stereo:
            raise TrainingError("stereo pairs and --loss.velocity set two scales at once: leave one of them out")
        if not train.knows_distances():
            raise TrainingError("no frame has a speed and a time (oxts, timestamps.txt): set --loss.velocity 0")


def check_intrinsics(learns: bool, config: TrainConfig, train: TripletDataset) -> None:
    """Find out whether the focal length is to be learnt where it is a guess, and can be where it is to be.

    Args:
        learns: --network.learn_intrinsics.
        config: what else is asked for.
        train: the triplets.

    Raises:
        TrainingError: it is a guess that nothing would better, or it cannot be learnt.
    """
    if not learns:
        guess = next((root for root in _roots(train) if _is_guess(root)), None)
        if guess is not None and config.distillation.photometric:
            raise TrainingError(
                f"the camera of {guess} is a first guess (depth record --learn_intrinsics): add "
                "--network.learn_intrinsics, or record it with --calibration or --fov"
            )
        return
    if not config.distillation.photometric:
        raise TrainingError("a focal length is learnt from motion: leave --no_distillation.photometric out")
    if train.stereo:
        raise TrainingError("stereo pairs have a calibration: leave --stereo or --network.learn_intrinsics out")
    shares = [sequence.K[0, 0] / sequence.calibration.width for sequence in {s for s, _ in train.targets}]
    if max(shares) > (1 + SAME_CAMERA) * min(shares):
        raise TrainingError(
            f"the data have cameras of several focal lengths ({min(shares):.3f} to {max(shares):.3f} of the width), "
            "but --network.learn_intrinsics learns that of one: train with the drives of one camera"
        )


def _roots(train: TripletDataset) -> list[Path]:
    return sorted({sequence.day.parent for sequence, _ in train.targets})


def _is_guess(root: Path) -> bool:
    """Whether a folder is a recording whose camera nobody knew."""
    try:
        return bool(read_manifest(root / MANIFEST).settings.get("learn_intrinsics"))
    except SequenceError:  # no recording of ours
        return False


def metric_scale(
    config: TrainConfig, train: TripletDataset, teacher: Teacher | None, camera: TrainingCamera
) -> tuple[float, str]:
    """Metres per network unit and where that comes from, as a checkpoint says it; 1 and 'none' where nothing tells.

    With the speed as supervision the network predicts metres; with stereo pairs the baseline says what its unit is,
    with the camera's height the road that it sees; a teacher hands over its own unit.

    Raises:
        TrainingError: the teacher's unit is another than the one that speed or baseline set.
    """
    theirs = teacher.scale(camera) if teacher else (1.0, "none")
    if train.labels is not None and train.labels.gives == DEPTH:
        theirs = (1.0, TEACHER)
    if config.distillation.photometric and config.loss.camera_height > 0:
        return 1.0, CAMERA_HEIGHT  # until the road has been seen; a teacher's unit is measured likewise
    source = VELOCITY if config.loss.velocity > 0 else STEREO if train.stereo else ""
    if not config.distillation.photometric or not source:
        return theirs
    ours = (train.scale if source == STEREO else 1.0, source)
    if (teacher or theirs[1] == TEACHER) and (theirs[1] == "none" or abs(theirs[0] / ours[0] - 1) > SAME_SCALE):
        unit = "an unknown unit" if theirs[1] == "none" else f"a unit of {theirs[0]:.3g} m"
        by = "the speed sets" if source == VELOCITY else "stereo pairs set"
        raise TrainingError(
            f"the teacher predicts in {unit}, {by} one of {ours[0]:.3g} m: leave one of them out, or learn from the "
            "teacher alone with --teacher_only"
        )
    return ours
