# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid motion as homogeneous matrices `T_target_source` (..., 4, 4): p_target = T_target_source p_source."""

from __future__ import annotations

import torch
from torch import Tensor


def transform_from_axis_angle(axis_angle: Tensor, translation: Tensor) -> Tensor:
    """Matrix of a rotation vector (Rodrigues' formula) and a translation.

    Args:
        axis_angle: (..., 3) rotation axis times angle, radians.
        translation: (..., 3) in any unit.

    Returns:
        (..., 4, 4) transform; differentiable at zero rotation.
    """
    squared = (axis_angle * axis_angle).sum(-1, keepdim=True)[..., None]
    # Below this angle the series is exact in float32 and, unlike sin(a)/a, has a finite gradient.
    small = squared < 1e-6
    safe = torch.where(small, torch.ones_like(squared), squared)
    angle = safe.sqrt()
    sine = torch.where(small, 1.0 - squared / 6.0, angle.sin() / angle)
    cosine = torch.where(small, 0.5 - squared / 24.0, (1.0 - angle.cos()) / safe)
    skew = _skew(axis_angle)
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return _assemble(identity + sine * skew + cosine * (skew @ skew), translation)


def transform_from_euler(angles: Tensor, translation: Tensor) -> Tensor:
    """Matrix of Euler angles (x, y, z) with R = Rx Ry Rz, as TRI's PoseNet has it (docs/papers.md, Pose networks).

    Args:
        angles: (..., 3) radians.
        translation: (..., 3) in any unit.

    Returns:
        (..., 4, 4) transform.
    """
    cx, cy, cz = angles.cos().unbind(-1)
    sx, sy, sz = angles.sin().unbind(-1)
    rows = [
        torch.stack([cy * cz, -cy * sz, sy], -1),
        torch.stack([cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy], -1),
        torch.stack([sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy], -1),
    ]
    return _assemble(torch.stack(rows, -2), translation)


def invert_transform(T: Tensor) -> Tensor:
    """Inverse of (..., 4, 4) rigid transforms, by transposing the rotation."""
    rotation = T[..., :3, :3].transpose(-1, -2)
    return _assemble(rotation, -(rotation @ T[..., :3, 3:])[..., 0])


def sideways_transform(offset: Tensor) -> Tensor:
    """(..., 4, 4) transform of (...) offsets along x without rotation, as between the cameras of a stereo pair."""
    transform = torch.eye(4, dtype=offset.dtype, device=offset.device).repeat(*offset.shape, 1, 1)
    transform[..., 0, 3] = offset
    return transform


def _skew(vector: Tensor) -> Tensor:
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    rows = [torch.stack(row, -1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    return torch.stack(rows, -2)


def _assemble(rotation: Tensor, translation: Tensor) -> Tensor:
    top = torch.cat([rotation, translation[..., None]], -1)
    bottom = torch.zeros_like(top[..., :1, :])
    bottom[..., 0, 3] = 1.0
    return torch.cat([top, bottom], -2)
