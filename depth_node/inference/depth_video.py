# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Videos to depth videos: what of them is predicted, in which colours, and the file that comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.atomic_file import replacing
from depth_node.bags.files import is_video, natural, pictures_in
from depth_node.bags.video_file import VideoFile
from depth_node.camera.calibration import CameraCalibration
from depth_node.camera.field_of_view import pinhole_camera
from depth_node.camera.rectification import Rectifier
from depth_node.drawing.colorize import colorize_depth, depth_limits
from depth_node.errors import CalibrationError, OutputError, SequenceError
from depth_node.inference.estimator import DepthEstimator
from depth_node.inference.tensor_prediction import TensorPrediction

RESULT = "_depth"
"""End of the name of a depth video."""
CODEC = "mp4v"
"""MPEG-4, which every build of OpenCV writes; it has no H.264 encoder."""
SAMPLES = 16
"""Frames from all over a video that its colours are made for."""

Picture = NDArray[np.uint8]
Intrinsics = NDArray[np.float64]


def split_inputs(inputs: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Videos among what a user named, those in folders too, and what may hold pictures.

    Raises:
        SequenceError: two videos would get the same name.
    """
    videos: list[Path] = []
    others: list[Path] = []
    for path in inputs:
        files = [path] if not path.is_dir() else sorted(path.iterdir(), key=natural)
        found = [file for file in files if is_video(file)]
        stems = {file.stem for file in found}
        # What an earlier prediction has made of them is left out.
        videos += [file for file in found if file.stem.removesuffix(RESULT) not in stems - {file.stem}]
        if not found or pictures_in(path):
            others.append(path)
    twice = [name for name, count in Counter(video.stem for video in videos).items() if count > 1]
    if twice:
        raise SequenceError(f"two videos are called '{twice[0]}': predict them into separate output folders")
    return videos, others


class CameraView:
    """Takes the lens distortion out of a video's frames, where their camera is known."""

    def __init__(self, video: VideoFile, camera: CameraCalibration | None, fov: float = 0.0) -> None:
        """Prepare.

        Args:
            video: the frames' size.
            camera: that took them; None where it is unknown.
            fov: what that one sees from side to side, degrees; 0 where this is unknown, too.

        Raises:
            CalibrationError: the camera has pictures of another size.
        """
        if camera is None and fov > 0:
            camera = pinhole_camera(video.width, video.height, fov)
        if camera is not None and (camera.width, camera.height) != (video.width, video.height):
            raise CalibrationError(
                f"{video.path} is {video.width}x{video.height}, but its calibration is for "
                f"{camera.width}x{camera.height}: give the calibration of this video"
            )
        self._rectifier = Rectifier(camera) if camera is not None else None

    def of(self, bgr: Picture) -> tuple[Picture, Intrinsics | None]:
        """(H, W, 3) uint8 RGB of a frame in BGR, and its (3, 3) intrinsics in pixels; None where they are unknown."""
        rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        return (rgb, None) if self._rectifier is None else (self._rectifier(rgb), self._rectifier.K)


def video_limits(video: VideoFile, view: CameraView, estimator: DepthEstimator) -> tuple[float, float]:
    """Depths [m] of the brightest and the darkest colour, one pair for the whole video so that it does not flicker."""
    depths = [_shown(estimator.estimate(*view.of(bgr))) for bgr in video.sampled(SAMPLES)]
    return depth_limits(np.concatenate(depths))


@contextmanager
def depth_video(
    path: Path, fps: float, limits: tuple[float, float], with_picture: bool
) -> Iterator[Callable[[TensorPrediction], None]]:
    """A function that adds a frame to a video, which appears when the block ends well.

    Args:
        path: file to write, *.mp4.
        fps: frames per second.
        limits: depths of the brightest and the darkest colour, metres.
        with_picture: show the picture above its depth, or beside it where pictures are upright.

    Raises:
        OutputError: the file cannot be written.
    """
    with replacing(path) as temporary:
        writer = cv2.VideoWriter()

        def add(prediction: TensorPrediction) -> None:
            color = colorize_depth(_shown(prediction), *limits)
            height, width = color.shape[:2]
            if with_picture:
                both = (prediction.image.cpu().numpy(), color)
                color = np.concatenate(both, axis=0 if width >= height else 1)
            # The colours of this kind of file are stored for two by two pixels.
            color = color[: color.shape[0] // 2 * 2, : color.shape[1] // 2 * 2]
            if not writer.isOpened():
                writer.open(str(temporary), cv2.VideoWriter.fourcc(*CODEC), fps, color.shape[1::-1])
            if not writer.isOpened():
                raise OutputError(f"cannot write {path}: OpenCV has no encoder for {CODEC}, or the disk is full")
            writer.write(cv2.cvtColor(color, cv2.COLOR_RGB2BGR))

        try:
            yield add
        finally:
            writer.release()


def _shown(prediction: TensorPrediction) -> NDArray[np.float32]:
    depth = prediction.depth.masked_fill(~prediction.valid, float("nan")).float().cpu().numpy()
    return np.asarray(depth, np.float32)
