"""How bags become a KITTI-style sequence folder."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class RecordConfig(Validated):
    """The recorder. Workers change the speed only, never the result."""

    image_topic: str = setting("", "Image or CompressedImage topic; empty finds the only one")
    camera_info_topic: str = setting("", "its CameraInfo topic; empty takes the one beside the image topic")
    format: str = setting(
        "png",
        "file format of the pictures; jpg keeps the bytes of a JPEG topic that needs no rectification",
        choices=("png", "jpg"),
    )
    jpeg_quality: int = setting(95, "quality of newly encoded JPEG pictures", low=1, high=100)
    png_compression: int = setting(1, "effort of PNG compression, lossless at any", low=0, high=9)
    rectify: str = setting(
        "auto",
        "remove lens distortion; auto: where there is any and the topic is not called image_rect; "
        "never: the pictures are rectified already, P of camera_info describes them",
        choices=("auto", "never", "always"),
    )
    stamps: str = setting(
        "header", "time of a picture: when it was taken (header) or recorded (bag)", choices=("header", "bag")
    )
    drive: int = setting(1, "number of the first drive of a day", low=0, high=9999)
    val_fraction: float = setting(0.1, "share of each drive kept for validation, from its end", low=0.0, high=0.9)
    context: int = setting(
        1, "neighbours a training target needs on each side; train and val share none", unit="frames", low=1, high=10
    )
    workers: int = setting(0, "threads that decode and encode pictures; 0 is one per processor core", low=0, high=256)
