# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""PointCloud2 messages to the points of a KITTI scan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.errors import BagError

KINDS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
"""PointField.datatype to NumPy."""
INTENSITIES = ("intensity", "intensities", "reflectivity", "reflectance", "i")
"""What drivers call the strength of the echo, best first."""


def read_cloud(message: Any) -> NDArray[np.float32]:
    """Points of a PointCloud2, those without a position (NaN, Inf or all 0) left out.

    Returns:
        (N, 4) float32: x, y, z in metres in the cloud's own frame, reflectance. Integers are brought to 0 to 1 by
        their type's range, floats stay as they are; 0 where the cloud has none.

    Raises:
        BagError: the cloud has no x, y, z, or its data does not fit its header.
    """
    fields = {field.name: field for field in message.fields}
    if not {"x", "y", "z"} <= set(fields):
        raise BagError(
            f"point cloud in '{message.header.frame_id}' has no x, y, z, but {', '.join(fields) or 'nothing'}"
        )
    strength = next((name for name in INTENSITIES if name in fields), "")
    names = ["x", "y", "z", *([strength] if strength else [])]
    wanted = [fields[name] for name in names]
    records = _records(message, wanted, bool(message.is_bigendian))
    if not _is_plausible(records):
        turned = _records(message, wanted, not message.is_bigendian)  # some drivers set the flag by mistake
        records = turned if _is_plausible(turned) else records
    points = np.zeros((records.size, 4), np.float32)
    for column, name in enumerate(names):
        values = records[name].ravel()
        whole = np.iinfo(values.dtype).max if column == 3 and values.dtype.kind in "iu" else 1
        points[:, column] = values / np.float32(whole)
    placed = np.isfinite(points[:, :3]).all(axis=1) & points[:, :3].any(axis=1)
    points = points[placed]
    points[:, 3] = np.nan_to_num(points[:, 3])
    return points


def _is_plausible(records: NDArray[np.void]) -> bool:
    """Whether positions are metres from a sensor; bytes read in the wrong order give numbers near 0 or beyond all."""
    with np.errstate(invalid="ignore"):
        distances = np.abs(np.stack([records[axis].ravel().astype(np.float64) for axis in "xyz"]))
    distances = distances[np.isfinite(distances) & (distances > 0)]
    return not distances.size or 1e-6 < float(np.median(distances)) < 1e6


def _records(message: Any, fields: list[Any], is_bigendian: bool) -> NDArray[np.void]:
    """The fields as a (height, width) structured view of the message's bytes."""
    height, width, step = int(message.height), int(message.width), int(message.point_step)
    order = ">" if is_bigendian else "<"
    row = int(message.row_step) or width * step  # some drivers leave the row step unset
    buffer = np.frombuffer(message.data, np.uint8)
    try:
        layout = np.dtype(
            {
                "names": [field.name for field in fields],
                "formats": [order + KINDS[int(field.datatype)] for field in fields],
                "offsets": [int(field.offset) for field in fields],
                "itemsize": step,
            }
        )
        if width * height == 0:
            return np.zeros((0, 0), layout)
        if row < width * step or buffer.size < row * (height - 1) + width * step:
            raise ValueError(f"{buffer.size} bytes for {height} rows of {width} points of {step} bytes")
        return np.ndarray((height, width), layout, buffer, strides=(row, step))
    except (KeyError, ValueError, TypeError) as error:
        raise BagError(f"point cloud in '{message.header.frame_id}' does not fit its header ({error})") from None
