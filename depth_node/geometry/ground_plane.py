# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The ground as a plane in the camera's optical frame, found by RANSAC (docs/papers.md, Two-stage training).

A plane at distance d with unit normal n, pointing down, holds the points n.p = d. A ray r = K^-1 (u, v, 1) meets it at
depth d / n.r, so a predicted depth z has the relative error z n.r / d - 1 against the plane: that is what residuals
are here. A tolerance of 0.05 is 5 % of depth, or of the camera's height over the ground, whatever the unit of depth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from depth_node.geometry.intrinsics import inverse_intrinsics
from depth_node.geometry.warp import pixel_grid

SCORED = 2048
"""Points drawn of each cloud that hypotheses are scored on: more would not change which one wins."""

REFINEMENTS = 3
"""Least-squares fits to the inliers; each may find some more of them."""


@dataclass(frozen=True)
class GroundPlanes:
    """One plane per cloud of a batch; NaN where none was found.

    Attributes:
        normals: (B, 3) unit normals in the camera's optical frame, pointing down.
        distances: (B,) from the camera to the plane, in the unit of the points.
        inliers: (B,) share of the points that lie on the plane; 0 where none was found.
    """

    normals: Tensor
    distances: Tensor
    inliers: Tensor

    @property
    def found(self) -> Tensor:
        """(B,) bool, whether there is a plane."""
        return torch.isfinite(self.distances)

    @property
    def tilts(self) -> Tensor:
        """(B,) angle between the normal and the camera's y axis, degrees."""
        return torch.rad2deg(torch.acos(self.normals[:, 1].clamp(-1.0, 1.0)))

    def slants(self, K: Tensor, height: int, width: int) -> Tensor:
        """n.r of each pixel, (B, height, width): how far a ray falls per unit of depth; not positive above the horizon.

        Args:
            K: (B, 3, 3) intrinsics of the picture, pixels.
            height: rows of the picture.
            width: columns of the picture.
        """
        rays = inverse_intrinsics(K) @ pixel_grid(height, width, K)
        return (self.normals.to(K)[:, None] @ rays).reshape(-1, height, width)


def fit_ground_planes(
    points: Tensor,
    candidates: Tensor,
    iterations: int = 200,
    tolerance: float = 0.05,
    max_tilt: float = 15.0,
    min_inliers: float = 0.3,
    seed: int = 0,
) -> GroundPlanes:
    """Fit a ground plane to each cloud of a batch.

    The result for a cloud depends on that cloud and the seed alone, not on the rest of the batch (but for
    rounding: sums of a batch may be added in another order).

    Args:
        points: (B, N, 3) in the camera's optical frame, any unit of length.
        candidates: (B, N) bool, which of them may lie on the ground.
        iterations: planes through three random candidates that are tried.
        tolerance: largest relative residual of an inlier.
        max_tilt: largest angle between the normal and the camera's y axis, degrees.
        min_inliers: least share of the candidates on a plane that counts as found.
        seed: of the random draws.

    Returns:
        The planes; NaN where there are fewer than three candidates, or no plane meets the limits.
    """
    points, candidates = points.double(), candidates & torch.isfinite(points).all(-1)
    steepest = math.cos(math.radians(max_tilt))
    generator = torch.Generator().manual_seed(seed)
    triples = _draw(points, candidates, torch.rand(3 * iterations, generator=generator))
    scored = _draw(points, candidates, torch.rand(min(SCORED, points.shape[1]), generator=generator))
    q = _through(triples.unflatten(1, (iterations, 3)), steepest)
    residuals = (scored @ q.transpose(1, 2) - 1.0).abs()  # NaN is no inlier
    best = (residuals < tolerance).sum(1).argmax(1)
    q = q[torch.arange(len(q), device=q.device), best]
    for _ in range(REFINEMENTS):
        q = _refined(q, points, _inliers(q, points, candidates, tolerance))
    share = _inliers(q, points, candidates, tolerance).sum(1) / candidates.sum(1).clamp_min(1)
    distances = 1.0 / q.norm(dim=-1)
    normals = q * distances[:, None]
    good = (candidates.sum(1) >= 3) & (share >= min_inliers) & (normals[:, 1] >= steepest)
    nothing = torch.full_like(distances, math.nan)
    return GroundPlanes(
        torch.where(good[:, None], normals, nothing[:, None]),
        torch.where(good, distances, nothing),
        torch.where(good, share, torch.zeros_like(share)),
    )


def _draw(points: Tensor, candidates: Tensor, places: Tensor) -> Tensor:
    """(B, M, 3) candidates at the (M,) relative places 0..1 in each cloud; where there are none, any point."""
    ranks = candidates.cumsum(1)
    wanted = (places.to(points.device) * ranks[:, -1:]).floor().to(ranks) + 1
    index = torch.searchsorted(ranks, wanted).clamp_max(points.shape[1] - 1)
    return points.gather(1, index[..., None].expand(-1, -1, 3))


def _through(triples: Tensor, steepest: float) -> Tensor:
    """Planes q.p = 1 through (B, I, 3, 3) triples, (B, I, 3); NaN where they do not span one that may be ground."""
    first, second, third = triples.unbind(2)
    across, along = second - first, third - first
    normal = torch.linalg.cross(across, along)
    length = normal.norm(dim=-1)
    # Points nearly on a line say nothing of the plane around it.
    spanned = length > 1e-6 * across.norm(dim=-1) * along.norm(dim=-1)
    distance = (normal * first).sum(-1)
    down = (normal / length[..., None])[..., 1] * distance.sign()
    good = spanned & (distance != 0) & (down >= steepest)
    return torch.where(good[..., None], normal / distance[..., None], torch.nan)


def _inliers(q: Tensor, points: Tensor, candidates: Tensor, tolerance: float) -> Tensor:
    return candidates & (((points @ q[..., None])[..., 0] - 1.0).abs() < tolerance)


def _refined(q: Tensor, points: Tensor, inliers: Tensor) -> Tensor:
    """The plane of least squared residuals over the inliers; `q` itself where these do not span one."""
    chosen = torch.where(inliers[..., None], points, 0.0)
    normal_equations = chosen.transpose(1, 2) @ chosen
    solution, failed = torch.linalg.solve_ex(normal_equations, chosen.sum(1)[..., None])
    solved = (failed == 0) & torch.isfinite(solution).all(1)[:, 0] & (inliers.sum(1) >= 3)
    return torch.where(solved[:, None], solution[..., 0], q)
