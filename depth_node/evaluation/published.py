# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The papers' own results on KITTI, to be shown beside ours. Facts only; each table says where it comes from.

All: Eigen test split (697 images), raw single-scan lidar, Garg crop, 80 m, median scaling for monocular training.
"""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.evaluation.metrics import DepthMetrics


@dataclass(frozen=True)
class PublishedResult:
    """One row of a paper's table.

    method; supervision: M video, S stereo pairs, T a teacher network, Sem, Inst or D as the paper's table has it;
    size: width x height of the input, empty where the table does not say; data: K KITTI, CS Cityscapes, empty as well.
    """

    method: str
    supervision: str
    size: str
    data: str
    metrics: DepthMetrics


@dataclass(frozen=True)
class PublishedTable:
    """Rows of one paper's table: name, source, rows."""

    name: str
    source: str
    rows: tuple[PublishedResult, ...]


def _row(method: str, supervision: str, size: str, data: str, *numbers: float) -> PublishedResult:
    return PublishedResult(method, supervision, size, data, DepthMetrics(*numbers))


EIGEN_IMAGES = 697

HR_DEPTH = PublishedTable(
    "HR-Depth",
    "Lyu et al., HR-Depth: High Resolution Self-Supervised Monocular Depth Estimation, arXiv 2012.07356, main table",
    (
        _row("SfMLearner", "M", "416x128", "CS+K", 0.198, 1.836, 6.565, 0.275, 0.718, 0.901, 0.960),
        _row("Vid2Depth", "M", "416x128", "CS+K", 0.159, 1.231, 5.912, 0.243, 0.784, 0.923, 0.970),
        _row("Struct2Depth", "M", "416x128", "K", 0.141, 1.026, 5.291, 0.215, 0.816, 0.945, 0.979),
        _row("Monodepth2", "M", "640x192", "K", 0.115, 0.903, 4.863, 0.193, 0.877, 0.959, 0.981),
        _row("PackNet-SfM", "M", "640x192", "K", 0.111, 0.785, 4.601, 0.189, 0.878, 0.960, 0.982),
        _row("HR-Depth", "M", "640x192", "K", 0.109, 0.792, 4.632, 0.185, 0.884, 0.962, 0.983),
        _row("HR-Depth", "M", "640x192", "CS+K", 0.108, 0.955, 4.800, 0.190, 0.887, 0.961, 0.981),
        _row("Monodepth2", "MS", "640x192", "K", 0.106, 0.818, 4.750, 0.196, 0.874, 0.957, 0.979),
        _row("HR-Depth", "MS", "640x192", "K", 0.107, 0.785, 4.612, 0.185, 0.887, 0.962, 0.982),
        _row("HR-Depth", "MS", "640x192", "CS+K", 0.104, 0.786, 4.544, 0.182, 0.893, 0.964, 0.983),
        _row("Zhou et al. 2019", "M", "1248x384", "K", 0.121, 0.837, 4.945, 0.197, 0.853, 0.955, 0.982),
        _row("Monodepth2", "M", "1024x320", "K", 0.115, 0.882, 4.701, 0.190, 0.879, 0.961, 0.982),
        _row("PackNet-SfM", "M", "1280x384", "K", 0.107, 0.802, 4.538, 0.186, 0.889, 0.962, 0.981),
        _row("HR-Depth", "M", "1024x320", "K", 0.106, 0.755, 4.472, 0.181, 0.892, 0.966, 0.984),
        _row("HR-Depth", "M", "1280x384", "K", 0.104, 0.727, 4.410, 0.179, 0.894, 0.966, 0.984),
        _row("Monodepth2", "MS", "1024x320", "K", 0.106, 0.818, 4.750, 0.196, 0.874, 0.957, 0.979),
        _row("HR-Depth", "MS", "1024x320", "K", 0.101, 0.716, 4.395, 0.179, 0.899, 0.966, 0.983),
    ),
)

LITE_HR_DEPTH = PublishedTable(
    "Lite-HR-Depth",
    "Lyu et al., HR-Depth, arXiv 2012.07356, table of light networks",
    (
        _row("PyD-Net (1.9 M)", "M", "512x256", "", 0.146, 1.291, 5.907, 0.245, 0.801, 0.926, 0.967),
        _row("Monodepth2 (14.84 M)", "M", "640x192", "", 0.115, 0.903, 4.863, 0.193, 0.877, 0.959, 0.981),
        _row("Lite-HR-Depth (3.1 M)", "M", "640x192", "", 0.116, 0.845, 4.841, 0.190, 0.866, 0.957, 0.982),
        _row("Lite-HR-Depth (3.1 M)", "MT", "640x192", "", 0.112, 0.767, 4.557, 0.184, 0.876, 0.963, 0.984),
        _row("Monodepth2 (14.84 M)", "M", "1024x320", "", 0.115, 0.882, 4.701, 0.190, 0.879, 0.961, 0.982),
        _row("Lite-HR-Depth (3.1 M)", "M", "1024x320", "", 0.111, 0.799, 4.612, 0.184, 0.878, 0.963, 0.984),
        _row("Lite-HR-Depth (3.1 M)", "MT", "1024x320", "", 0.105, 0.704, 4.374, 0.178, 0.891, 0.967, 0.985),
        _row("Lite-HR-Depth (3.1 M)", "MT", "1280x384", "", 0.104, 0.697, 4.349, 0.176, 0.893, 0.967, 0.985),
    ),
)

# Of PackNet and the paper's own rows the table gives the resolution as MR (640x192) and HR (1280x384).
SEMANTIC_GUIDANCE = PublishedTable(
    "Semantic guidance",
    "Guizilini et al., Semantically-Guided Representation Learning for Self-Supervised Monocular Depth, "
    "arXiv 2002.12319, table on the Eigen split",
    (
        _row("Garg 2016", "", "", "", 0.152, 1.226, 5.849, 0.246, 0.784, 0.921, 0.967),
        _row("Zou 2018", "", "", "", 0.150, 1.124, 5.507, 0.223, 0.806, 0.933, 0.973),
        _row("Godard 2017", "", "", "", 0.141, 1.186, 5.677, 0.238, 0.809, 0.928, 0.969),
        _row("Zhan 2018", "", "", "", 0.135, 1.132, 5.585, 0.229, 0.820, 0.933, 0.971),
        _row("Godard 2018, ResNet-18", "M", "", "", 0.115, 0.903, 4.863, 0.193, 0.877, 0.959, 0.981),
        _row("Godard 2018, ResNet-50", "M", "", "", 0.112, 0.851, 4.754, 0.190, 0.881, 0.960, 0.981),
        _row("PackNet MR", "M", "640x192", "", 0.108, 0.727, 4.426, 0.184, 0.885, 0.963, 0.983),
        _row("PackNet HR", "M", "1280x384", "", 0.104, 0.758, 4.386, 0.182, 0.895, 0.964, 0.982),
        _row("Casser 2019", "S+Inst", "", "", 0.141, 1.025, 5.290, 0.215, 0.816, 0.945, 0.979),
        _row("Chen 2019", "S+Sem", "", "", 0.118, 0.905, 5.096, 0.211, 0.839, 0.945, 0.977),
        _row("Ochs 2019", "D+Sem", "", "", 0.116, 0.945, 4.916, 0.208, 0.861, 0.952, 0.968),
        _row("Semantic guidance MR", "M+Sem", "640x192", "", 0.102, 0.698, 4.381, 0.178, 0.896, 0.964, 0.984),
        _row("Semantic guidance HR", "M+Sem", "1280x384", "", 0.100, 0.761, 4.270, 0.175, 0.902, 0.965, 0.982),
    ),
)

PUBLISHED = (HR_DEPTH, LITE_HR_DEPTH, SEMANTIC_GUIDANCE)
