# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures from files to the engine, and its depth to files: what `depth predict` is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_node.atomic_file import replacing
from depth_node.bags.files import pictures_in
from depth_node.camera.calibration import CameraCalibration
from depth_node.camera.calibration_file import rectified_camera
from depth_node.camera.field_of_view import pinhole_camera
from depth_node.camera.rectification import Rectifier
from depth_node.config.classes import ClassMap
from depth_node.drawing.colorize import color_labels, colorize_depth
from depth_node.errors import CalibrationError, SequenceError
from depth_node.image_file import write_image
from depth_node.inference.pointcloud import drop_missing
from depth_node.inference.tensor_prediction import CloudPacker, TensorPrediction
from depth_node.kitti.formats import write_depth
from depth_node.kitti.layout import MANIFEST, SIDES, KittiSequence, read_image
from depth_node.kitti.search import find_sequences

RESULTS = ("_color", "_depth", "_labels", "_classes")
"""Ends of the names that predictions are written under."""


@dataclass(frozen=True)
class PictureFile:
    """A picture to predict, the name of its results without suffix, and its camera where one is known."""

    path: Path
    name: str
    camera: CameraCalibration | None


def find_pictures(inputs: Sequence[Path], camera: CameraCalibration | None = None) -> list[PictureFile]:
    """Pictures named by files, folders of pictures, KITTI drives or folders of drives.

    Args:
        inputs: what the user named.
        camera: of all pictures; when not given, drives bring their own calibration.

    Raises:
        SequenceError: something is not there, or two pictures would get the same name.
    """
    found = [picture for path in inputs for picture in _pictures_of(path, camera)]
    twice = [name for name, count in Counter(picture.name for picture in found).items() if count > 1]
    if twice:
        raise SequenceError(f"two pictures are called '{twice[0]}': predict them into separate output folders")
    return found


def load_picture(picture: PictureFile, fov: float = 0.0) -> tuple[NDArray[np.uint8], NDArray[np.float64] | None]:
    """Read a picture and take out its lens distortion.

    Args:
        picture: what to read.
        fov: what an unknown camera sees from side to side, degrees; 0 where this is unknown, too.

    Returns:
        (H,W,3) uint8 RGB, and its (3,3) intrinsics in pixels; None where the camera is unknown.

    Raises:
        SequenceError: the picture cannot be read.
        CalibrationError: its size is not that of its camera.
    """
    image = read_image(picture.path, oriented=picture.camera is None)
    height, width = image.shape[:2]
    if picture.camera is None:
        return image, pinhole_camera(width, height, fov).K if fov > 0 else None
    if (width, height) != (picture.camera.width, picture.camera.height):
        raise CalibrationError(
            f"{picture.path} is {width}x{height}, but its calibration is for "
            f"{picture.camera.width}x{picture.camera.height}: give the calibration of these pictures"
        )
    rectifier = _rectifier(picture.camera)
    return rectifier(image), rectifier.K


def write_prediction(folder: Path, name: str, prediction: TensorPrediction) -> None:
    """Write NAME_color.png for people and NAME_depth.png (16 bit, metres * 256, 0 unknown, sky or beyond 256 m).

    Raises:
        OutputError: a file cannot be written.
    """
    depth = prediction.depth.masked_fill(~prediction.valid, float("nan")).float().cpu().numpy()
    write_depth(folder / f"{name}_depth.png", depth)
    write_image(folder / f"{name}_color.png", colorize_depth(depth))


def write_labels(folder: Path, name: str, labels: NDArray[np.uint8], classes: ClassMap) -> None:
    """Write (h,w) class numbers as NAME_labels.png (8 bit) and, for people, NAME_classes.png in their colours.

    Raises:
        OutputError: a file cannot be written.
    """
    write_image(folder / f"{name}_labels.png", labels)
    write_image(folder / f"{name}_classes.png", color_labels(labels, classes))


def write_cloud(path: Path, prediction: TensorPrediction, max_range: float) -> int:
    """Write the coloured points of a prediction as binary PLY, metres in the camera's optical frame.

    Args:
        path: file to write.
        prediction: with the intrinsics of a real camera.
        max_range: points farther from the camera than this are left out, metres.

    Returns:
        The number of points.

    Raises:
        OutputError: the file cannot be written.
    """
    packer = CloudPacker(prediction.height, prediction.width, prediction.K, device=prediction.depth.device)
    points = drop_missing(packer.pack(prediction.depth, prediction.image, max_range=max_range))
    positions = np.column_stack([points[axis] for axis in "xyz"])
    colors = np.ascontiguousarray(points["rgb"]).view(np.uint8).reshape(-1, 4)[:, 2::-1]
    with replacing(path) as temporary:
        import trimesh

        temporary.write_bytes(trimesh.PointCloud(positions, colors).export(file_type="ply"))
    return len(points)


@lru_cache(maxsize=4)
def _rectifier(camera: CameraCalibration) -> Rectifier:
    return Rectifier(camera)


def _pictures_of(path: Path, camera: CameraCalibration | None) -> list[PictureFile]:
    if path.is_file():
        return [PictureFile(path, path.stem, camera or _camera_of(path))]
    if not path.is_dir():
        raise SequenceError(f"there is no picture or folder {path}")
    files = _without_results(sorted(pictures_in(path)))
    # A recording has a picture of its own beside the drives: its report.
    if files and not (path / MANIFEST).is_file():
        return [PictureFile(file, file.stem, camera or _camera_of(file)) for file in files]
    return [
        PictureFile(file, f"{sequence.location.name}/{file.stem}", camera or rectified_camera(sequence.calibration))
        for sequence in find_sequences(path)
        for file in sequence.image_paths.values()
    ]


def _without_results(files: Sequence[Path]) -> list[Path]:
    """Pictures without what an earlier prediction made of them in the same folder."""
    stems = {file.stem for file in files}
    return [file for file in files if not any(file.stem.removesuffix(end) in stems - {file.stem} for end in RESULTS)]


def _camera_of(picture: Path) -> CameraCalibration | None:
    """The camera of a picture that lies in a KITTI drive, else None."""
    folders = picture.resolve().parents
    if len(folders) < 4 or folders[0].name != "data" or folders[1].name not in SIDES.values():
        return None
    try:
        return rectified_camera(KittiSequence(folders[2], folders[1].name).calibration)
    except (SequenceError, CalibrationError):
        return None
