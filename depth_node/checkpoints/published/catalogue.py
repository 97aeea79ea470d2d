# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The published weights that go by a name: where they are, what they must be, and under which licence.

This is the one place for their names, addresses, checksums, input sizes and units. They are those of the authors'
READMEs and, for the checksums, of monodepth2's utils.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

STEREO_KITTI = 5.4
"""Metres per unit of monodepth2's stereo training: 0.54 m between KITTI's cameras were called 0.1."""


@dataclass(frozen=True)
class Project:
    """Who publishes: where the files lie, how their names end, and what may be done with them."""

    base: str
    ending: str
    licence: str


@dataclass(frozen=True)
class Published:
    """One published network.

    Attributes:
        name: 'PROJECT:MODEL', what a user calls it.
        project: whose it is.
        width: of the network's input, in pixels.
        height: of the network's input, in pixels.
        md5: checksum that the authors publish; empty where they publish none.
        scale: metres per network unit that the authors name; 0 where monocular training left it open.
    """

    name: str
    project: Project
    width: int
    height: int
    md5: str = ""
    scale: float = 0.0

    @property
    def model(self) -> str:
        """The name without the project's."""
        return self.name.partition(":")[2]

    @property
    def file(self) -> str:
        """Name of the authors' file."""
        return self.model + self.project.ending

    @property
    def url(self) -> str:
        """Where the authors have it."""
        return self.project.base + quote(self.file)


PROJECTS = {
    "monodepth2": Project(
        "https://storage.googleapis.com/niantic-lon-static/research/monodepth2/",
        ".zip",
        "Monodepth2 licence of Niantic, Inc., non-commercial use only "
        "(https://github.com/nianticlabs/monodepth2/blob/master/LICENSE)",
    ),
    # The README says http. Without a checksum only TLS tells who answers, and S3 speaks it for every such name.
    "hr_depth": Project(
        "https://hr-depth-pretrain-model.s3.amazonaws.com/",
        ".zip",
        "MIT, the licence of the authors' repository (https://github.com/shawLyu/HR-Depth)",
    ),
    "packnet": Project(
        "https://tri-ml-public.s3.amazonaws.com/github/packnet-sfm/models/",
        ".ckpt",
        "MIT, the licence of the authors' repository (https://github.com/TRI-ML/packnet-sfm)",
    ),
}


def _published(name: str, size: str, md5: str = "", scale: float = 0.0) -> Published:
    width, height = (int(number) for number in size.split("x"))
    return Published(name, PROJECTS[name.partition(":")[0]], width, height, md5, scale)


PUBLISHED = {
    each.name: each
    for each in (
        _published("monodepth2:mono_640x192", "640x192", "a964b8356e08a02d009609d9e3928f7c"),
        _published("monodepth2:stereo_640x192", "640x192", "3dfb76bcff0786e4ec07ac00f658dd07", STEREO_KITTI),
        _published("monodepth2:mono+stereo_640x192", "640x192", "c024d69012485ed05d7eaa9617a96b81", STEREO_KITTI),
        _published("monodepth2:mono_1024x320", "1024x320", "0ab0766efdfeea89a0d9ea8ba90e1e63"),
        _published("monodepth2:stereo_1024x320", "1024x320", "afc2f2126d70cf3fdf26b550898b501a", STEREO_KITTI),
        _published("monodepth2:mono+stereo_1024x320", "1024x320", "cdc5fc9b23513c07d5b19235d9ef08f7", STEREO_KITTI),
        _published("monodepth2:mono_no_pt_640x192", "640x192", "9c2f071e35027c895a4728358ffc913a"),
        _published("monodepth2:stereo_no_pt_640x192", "640x192", "41ec2de112905f85541ac33a854742d1", STEREO_KITTI),
        _published("monodepth2:mono+stereo_no_pt_640x192", "640x192", "46c3b824f541d143a45c37df65fbab0a", STEREO_KITTI),
        _published("monodepth2:mono_odom_640x192", "640x192"),
        _published("monodepth2:mono+stereo_odom_640x192", "640x192", scale=STEREO_KITTI),
        _published("monodepth2:mono_resnet50_640x192", "640x192"),
        _published("monodepth2:mono_resnet50_no_pt_640x192", "640x192"),
        _published("hr_depth:HR_Depth_K_M_640x192", "640x192"),
        _published("hr_depth:HR_Depth_K_M_1280x384", "1280x384"),
        _published("hr_depth:HR_Depth_K_MS_1024x320", "1024x320"),
        _published("hr_depth:HR_Depth_CS_K_MS_640x192", "640x192"),
        _published("hr_depth:Lite_HR_Depth_K_T_1280x384", "1280x384"),
        _published("packnet:ResNet18_MR_selfsup_K", "640x192"),
        _published("packnet:ResNet18_MR_selfsup_D", "640x384"),
        _published("packnet:PackNet01_MR_selfsup_K", "640x192"),
        _published("packnet:PackNet01_MR_selfsup_D", "640x384"),
        _published("packnet:PackNet01_MR_selfsup_CS", "640x192"),
        _published("packnet:PackNet01_MR_velsup_CStoK", "640x192", scale=1.0),
        _published("packnet:PackNet01_HR_velsup_CStoK", "1280x384", scale=1.0),
        _published("packnet:PackNet01_MR_semisup_CStoK", "640x192", scale=1.0),
    )
}
"""Every published network by its name."""
