# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where sensors sit on the vehicle: chains of fixed transforms from /tf_static of a bag, or from a YAML file.

A YAML file lists `transforms`, each with parent, child, translation [x, y, z] in metres and rotation as quaternion
[x, y, z, w], as roll, pitch, yaw [r, p, y] in radians or as nine numbers of a matrix; what `ros2 topic echo
/tf_static` prints will do, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from depth_node.camera.calibration import Matrix
from depth_node.errors import CalibrationError
from depth_node.sensing.quaternions import rotation_of_quaternion

RECORD = "record /tf_static or give --extrinsics FILE.yaml"


class TransformTree:
    """Fixed transforms between named frames; any two frames that are linked, however far, can be related."""

    def __init__(self, source: str, advice: str = RECORD) -> None:
        """An empty tree; errors say where the transforms are from, and what to do where one is missing."""
        self.source, self.advice = source, advice
        self._links: dict[str, dict[str, Matrix]] = {}

    def __len__(self) -> int:
        """The number of frames."""
        return len(self._links)

    def add(self, parent: str, child: str, T_parent_child: Matrix) -> None:
        """Add or replace a link; the (4, 4) transform maps coordinates of the child to the parent's, metres."""
        parent, child = _plain(parent), _plain(child)
        self._links.setdefault(parent, {})[child] = T_parent_child
        self._links.setdefault(child, {})[parent] = np.asarray(np.linalg.inv(T_parent_child), np.float64)

    def find(self, target: str, source: str) -> Matrix | None:
        """T_target_source (4, 4) by the shortest chain of links; None where there is none."""
        target, source = _plain(target), _plain(source)
        found: dict[str, Matrix] = {target: np.eye(4)}
        waiting = deque([target])
        while waiting and source not in found:
            frame = waiting.popleft()
            for neighbour in sorted(self._links.get(frame, {})):
                if neighbour not in found:
                    found[neighbour] = found[frame] @ self._links[frame][neighbour]
                    waiting.append(neighbour)
        return found.get(source)

    def problem(self, target: str, source: str) -> str:
        """Why two frames cannot be related, and what to do."""
        frames = ", ".join(sorted(self._links)) or "no frames"
        return (
            f"nothing says where '{_plain(source)}' sits on '{_plain(target)}' ({self.source} knows {frames}): "
            f"{self.advice}"
        )


class Extrinsics:
    """Transforms from several places, such as /tf_static and the user's file, which wins."""

    def __init__(self, trees: Iterable[TransformTree]) -> None:
        """Trees in order of preference; the last one may hold links of all."""
        self._trees = tuple(trees)

    @classmethod
    def preferring(cls, given: TransformTree, other: TransformTree) -> Extrinsics:
        """Links of both, those of `given` where both have one."""
        both = TransformTree(f"{other.source} with {given.source}", other.advice)
        for tree in (other, given):
            for parent, links in tree._links.items():
                for child, transform in links.items():
                    both.add(parent, child, transform)
        return cls([given, both])

    def find(self, target: str, source: str) -> Matrix | None:
        """T_target_source (4, 4), metres; None where the frames are not linked."""
        if _plain(target) == _plain(source):
            return np.eye(4)
        transforms = (tree.find(target, source) for tree in self._trees)
        return next((transform for transform in transforms if transform is not None), None)

    def problem(self, target: str, source: str) -> str:
        """Why two frames cannot be related, and what to do."""
        return self._trees[-1].problem(target, source)


def read_extrinsics(path: Path) -> TransformTree:
    """Read a YAML file; raises CalibrationError."""
    try:
        documents = [part for part in yaml.safe_load_all(path.read_text(encoding="utf-8")) if part]
    except OSError as error:
        raise CalibrationError(f"cannot read extrinsics {path}: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise CalibrationError(f"extrinsics {path} is no YAML file") from None
    tree = TransformTree(path.name)
    try:
        for entry in [entry for document in documents for entry in document["transforms"]]:
            tree.add(*_link(entry))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CalibrationError(
            f"extrinsics {path} needs a list 'transforms' with parent, child, translation [x, y, z] and rotation "
            f"[x, y, z, w] each ({type(error).__name__}: {error})"
        ) from None
    if not len(tree):
        raise CalibrationError(f"extrinsics {path} lists no transforms")
    return tree


def rigid(rotation: Matrix, translation: Any) -> Matrix:
    """(4, 4) transform of a rotation (3, 3) and a translation (3,)."""
    transform = np.eye(4)
    transform[:3, :3], transform[:3, 3] = rotation, translation
    return transform


def _link(entry: Any) -> tuple[str, str, Matrix]:
    """One entry of the YAML file; raises ValueError and others."""
    if "transform" in entry:  # an echoed TransformStamped
        inner = entry["transform"]
        shift, turn = ([float(inner[key][axis]) for axis in axes] for key, axes in _ECHOED)
        parent, child = str(entry["header"]["frame_id"]), str(entry["child_frame_id"])
    else:
        shift, turn = ([float(value) for value in entry[key]] for key in ("translation", "rotation"))
        parent, child = str(entry["parent"]), str(entry["child"])
    if len(shift) != 3 or not np.isfinite([*shift, *turn]).all():
        raise ValueError(f"translation of '{child}' must be three finite numbers")
    return parent, child, rigid(_rotation(turn, child), shift)


_ECHOED = (("translation", "xyz"), ("rotation", "xyzw"))


def _rotation(values: list[float], child: str) -> Matrix:
    rotation: Matrix | None = None
    if len(values) == 4:
        rotation = rotation_of_quaternion(values)
    elif len(values) == 3:
        from transforms3d.euler import euler2mat

        rotation = np.asarray(euler2mat(*values, "sxyz"), np.float64)
    elif len(values) == 9:
        matrix = np.array(values).reshape(3, 3)
        rotation = matrix if np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-3) else None
    if rotation is None or np.linalg.det(rotation) < 0:
        raise ValueError(f"rotation of '{child}' is no rotation")
    return rotation


def add_transforms(tree: TransformTree, transforms: Any) -> None:
    """Take the transforms of a TFMessage; those that are no transform are left out."""
    for stamped in transforms:
        t, q = stamped.transform.translation, stamped.transform.rotation
        rotation = rotation_of_quaternion([q.x, q.y, q.z, q.w])
        if rotation is not None and np.isfinite([t.x, t.y, t.z]).all():
            tree.add(stamped.header.frame_id, stamped.child_frame_id, rigid(rotation, [t.x, t.y, t.z]))


def _plain(frame: str) -> str:
    """A frame name without the slash that ROS 1 put in front of it."""
    return frame.lstrip("/")
