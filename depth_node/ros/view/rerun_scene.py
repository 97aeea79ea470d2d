# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a browser is shown of each camera, as rerun's entities, and how the views are laid out.

Coordinates are those of the camera's optical frame (x right, y down, z forward), metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from typing import Any

import numpy as np
import rerun as rr
import rerun.blueprint as rrb
from numpy.typing import NDArray

from depth_node.config.classes import UNLABELLED, ClassMap
from depth_node.drawing.class_legend import draw_legend

FRAME, STAMP = "frame", "stamp"
"""Time lines: frames in the order they were shown, which the page follows; and the camera's stamps, which a bag that
starts over sets back."""
STATE = "state"
DEPTH_COLORS = rr.components.Colormap.Spectral
"""Near is red, far is violet, and so is what is infinitely far: rerun gives it the last colour."""
POINT_SIZE = 1.5
"""Pixels."""
IMAGE_PLANE = 1.5
"""Metres from the camera to its picture in the 3D view."""
SHARES = (4, 4, 4, 3, 5)
"""How high image, depth, classes, legend and state are, one to the other."""
EYE, LOOK_AT = (1.0, -3.0, -5.0), (0.0, 0.5, 12.0)
"""Where a newcomer looks from, and to: over the camera's shoulder, down the road."""


class Scene:
    """Draws into every recording the same: the one that is served, and the one that is saved."""

    def __init__(self, recordings: Sequence[rr.RecordingStream], max_points: int) -> None:
        """Draw nothing yet.

        Args:
            recordings: where to draw.
            max_points: of one cloud.
        """
        self._recordings, self._max_points = recordings, max_points
        self._classes: dict[str, ClassMap | None] = {}
        self._state = ""
        for recording in recordings:
            recording.set_time(FRAME, sequence=0)

    def add_camera(self, camera: str) -> None:
        """Make room for a camera, 'front' or 'front/left'."""
        self._classes.setdefault(camera, None)
        self._log(camera, rr.ViewCoordinates.RDF, static=True)
        self._lay_out()

    def classes(self, camera: str, classes: ClassMap) -> None:
        """Say what a camera's labels stand for."""
        about = [
            rr.AnnotationInfo(number, name, color)
            for number, (name, color) in enumerate(zip(classes.names, classes.colors, strict=True))
        ]
        about.append(rr.AnnotationInfo(UNLABELLED, "unlabelled", (0, 0, 0)))
        self._log(camera, rr.AnnotationContext(about), static=True)
        self._log(f"{camera}/legend", rr.Image(draw_legend(classes)), static=True)
        if self._classes.get(camera) != classes:
            self._classes[camera] = classes
            self._lay_out()

    def start_frame(self, number: int, stamp: int) -> None:
        """Whatever is drawn from now on belongs to this frame.

        Args:
            number: of the frame.
            stamp: ns.
        """
        for recording in self._recordings:
            recording.set_time(FRAME, sequence=number)
            recording.set_time(STAMP, timestamp=np.datetime64(stamp, "ns"))

    def calibration(self, camera: str, K: NDArray[np.float64], width: int, height: int) -> None:
        """Draw the camera's pyramid; K is (3, 3), pixels of the depth image."""
        seen = rr.Pinhole(
            image_from_camera=K,
            width=width,
            height=height,
            camera_xyz=rr.ViewCoordinates.RDF,
            image_plane_distance=IMAGE_PLANE,
        )
        self._log(f"{camera}/pinhole", seen)

    def image(self, camera: str, rgb: NDArray[np.uint8]) -> None:
        """Show the picture, (H, W, 3) RGB."""
        self._log(f"{camera}/pinhole/image", rr.Image(rgb))

    def depth(self, camera: str, depth: NDArray[np.float32], far: float) -> None:
        """Show a depth image in colours; the values are read under the mouse.

        Args:
            camera: whose.
            depth: (H, W) metres, NaN and infinite values as they are published.
            far: the end of the colours, metres.
        """
        shown = rr.DepthImage(depth, meter=1.0, colormap=DEPTH_COLORS, depth_range=(0.0, far))
        self._log(f"{camera}/pinhole/depth", shown)

    def labels(self, camera: str, labels: NDArray[np.uint8]) -> None:
        """Show (H, W) class numbers in the classes' colours."""
        self._log(f"{camera}/pinhole/classes", rr.SegmentationImage(labels))

    def points(self, camera: str, points: NDArray[np.void]) -> None:
        """Show a cloud: (h, w) structured x, y, z [m] and, where there is one, packed rgb."""
        points = thinned(points, self._max_points)
        points = points[np.isfinite(points["x"]) & np.isfinite(points["y"]) & np.isfinite(points["z"])]
        positions = np.stack([points[axis] for axis in "xyz"], -1)
        colors = unpacked(points["rgb"]) if "rgb" in (points.dtype.names or ()) else None
        self._log(f"{camera}/points", rr.Points3D(positions, colors=colors, radii=rr.Radius.ui_points(POINT_SIZE)))

    def state(self, text: str) -> None:
        """Show what live nodes say of themselves, as Markdown."""
        if text != self._state:
            self._state = text
            self._log(STATE, rr.TextDocument(text, media_type=rr.MediaType.MARKDOWN))

    def _log(self, path: str, entity: Any, *, static: bool = False) -> None:
        for recording in self._recordings:
            recording.log(path, entity, static=static)

    def _lay_out(self) -> None:
        views = [_views(camera, classes is not None) for camera, classes in sorted(self._classes.items())]
        blueprint = rrb.Blueprint(
            views[0] if len(views) == 1 else rrb.Tabs(*views),
            rrb.BlueprintPanel(state="collapsed"),
            rrb.SelectionPanel(state="collapsed"),
            rrb.TimePanel(state="collapsed", timeline=FRAME, play_state="following"),
            auto_views=False,
        )
        for recording in self._recordings:
            recording.send_blueprint(blueprint)


def _views(camera: str, has_classes: bool) -> rrb.Horizontal:
    """One camera's views: pictures on the left, the cloud large on the right."""
    pinhole = f"/{camera}/pinhole"
    pictures: list[Any] = [
        rrb.Spatial2DView(origin=pinhole, contents=[f"{pinhole}/image"], name="image"),
        rrb.Spatial2DView(origin=pinhole, contents=[f"{pinhole}/depth"], name="depth, metres under the mouse"),
    ]
    if has_classes:
        pictures += [
            rrb.Spatial2DView(origin=pinhole, contents=[f"{pinhole}/classes"], name="classes"),
            rrb.Spatial2DView(origin=f"/{camera}/legend", name="legend"),
        ]
    cloud = rrb.Spatial3DView(
        origin=f"/{camera}",
        contents=[f"/{camera}/{part}" for part in ("pinhole", "pinhole/image", "points")],
        name="cloud",
        line_grid=False,
        eye_controls=rrb.EyeControls3D(position=EYE, look_target=LOOK_AT, eye_up=(0.0, -1.0, 0.0)),
    )
    state = rrb.TextDocumentView(origin=f"/{STATE}", name="state")
    left = rrb.Vertical(*pictures, state, row_shares=[*SHARES[: len(pictures)], SHARES[-1]])
    return rrb.Horizontal(left, cloud, column_shares=[2, 3], name=camera)


def thinned(points: NDArray[np.void], most: int) -> NDArray[np.void]:
    """Every n-th row and column of an organised (h, w) cloud, every n-th point of a (1, n) one: about `most` points."""
    if points.shape[0] == 1:
        return points[:, :: max(1, ceil(points.size / most))]
    step = max(1, ceil(sqrt(points.size / most)))
    return points[::step, ::step]


def unpacked(rgb: NDArray[Any]) -> NDArray[np.uint8]:
    """PCL's packed colours, (n,) of 32 bits each, 0x00RRGGBB: (n, 3) uint8."""
    bits = np.ascontiguousarray(rgb).view(np.uint32)
    return np.stack([bits >> 16, bits >> 8, bits], -1).astype(np.uint8)
