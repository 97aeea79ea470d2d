# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""However the same pictures are stored in a bag, the recorded sequence is the same."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest

from depth_node.camera.calibration import CameraCalibration
from depth_node.camera.calibration_file import rectified_camera
from depth_node.config.record import RecordConfig
from depth_node.errors import BagError, ConfigError, SequenceError
from depth_node.kitti.layout import KittiSequence
from depth_node.recording.manifest import Manifest
from depth_node.recording.merging import merge
from depth_node.recording.recorder import record

STAMP, STEP = 1_317_038_400_123_456_789, 100_000_000
FRAMES = 12
DISTORTION = {
    "plumb_bob": (-0.25, 0.08, 0.0005, -0.0003, 0.0),
    "rational_polynomial": (0.1, -0.03, 0.0004, -0.0002, 0.001, 0.4, -0.04, 0.003),
    "equidistant": (-0.02, 0.006, -0.001, 0.0),
}


def facts(manifest: Manifest) -> list:
    """What must not depend on how a bag is stored."""
    return [
        (drive.folder, [(f.index, f.source, f.stamp_ns, f.sha256, f.parallax) for f in drive.frames])
        for drive in manifest.drives
    ]


@pytest.fixture(scope="module")
def pictures(shared_data) -> list[np.ndarray]:
    """Real frames, RGB, in half size."""
    folder = shared_data / "kitti_0095/2011_09_26/2011_09_26_drive_0095_sync"
    sequence = KittiSequence(folder)
    return [cv2.resize(sequence.image(i), (620, 188), interpolation=cv2.INTER_AREA) for i in range(FRAMES)]


def write(bag, pictures, send="image", **info) -> None:
    height, width = pictures[0].shape[:2]
    for index, picture in enumerate(pictures):
        stamp = STAMP + index * STEP
        if send == "image":
            bag.image(stamp, picture)
        else:
            code, flags = (".png", []) if send == "png" else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 95])
            bag.compressed(stamp, cv2.imencode(code, picture[..., ::-1], flags)[1].tobytes(), send)
        bag.info(stamp, width, height, **({"focal": 360.0} | info))


@pytest.fixture
def reference(pictures, bag_maker, tmp_path) -> Manifest:
    with bag_maker(tmp_path / "reference") as bag:
        write(bag, pictures)
    return record([tmp_path / "reference"], tmp_path / "expected", RecordConfig())


@pytest.mark.parametrize(
    ("storage", "zstd", "send"),
    [
        ("sqlite3", "", "image"),
        ("mcap", "storage", "image"),
        ("mcap", "message", "image"),
        ("sqlite3", "file", "image"),
        ("mcap", "", "png"),
    ],
)
def test_every_storage_gives_the_same_bytes(pictures, reference, bag_maker, tmp_path, storage, zstd, send):
    with bag_maker(tmp_path / "bag", storage, zstd) as bag:
        write(bag, pictures, send)
    assert facts(record([tmp_path / "bag"], tmp_path / "out", RecordConfig())) == facts(reference)


def test_a_single_compressed_file_is_a_bag(pictures, reference, bag_maker, tmp_path):
    with bag_maker(tmp_path / "bag", "mcap", "file") as bag:
        write(bag, pictures)
    (file,) = (tmp_path / "bag").glob("*.zstd")
    assert facts(record([file], tmp_path / "out", RecordConfig())) == facts(reference)


def test_a_bag_split_in_three(split_bag, tmp_path):
    split = record([split_bag(3)], tmp_path / "out", RecordConfig())
    whole = record([tmp_path / "unsplit"], tmp_path / "whole", RecordConfig())
    assert facts(split) == facts(whole)
    assert len(split.drives[0].frames) == 24
    shutil.copytree(tmp_path / "split3", tmp_path / "crashed", ignore=shutil.ignore_patterns("metadata.yaml"))
    assert facts(record([tmp_path / "crashed"], tmp_path / "again", RecordConfig())) == facts(whole)


def test_jpeg_stays_within_its_own_error(pictures, reference, bag_maker, tmp_path):
    with bag_maker(tmp_path / "bag") as bag:
        write(bag, pictures, "jpeg")
    manifest = record([tmp_path / "bag"], tmp_path / "out", RecordConfig())
    assert [frame.source for frame in manifest.drives[0].frames] == list(range(FRAMES))
    got, want = (KittiSequence(tmp_path / name / reference.drives[0].folder) for name in ("out", "expected"))
    for index in range(FRAMES):
        difference = np.abs(got.image(index).astype(int) - want.image(index))
        assert difference.mean() < 3


@pytest.mark.parametrize("model", DISTORTION)
def test_distortion_added_through_a_known_model_is_taken_out(pictures, bag_maker, tmp_path, model):
    height, width = pictures[0].shape[:2]
    camera = CameraCalibration(
        width, height, model, DISTORTION[model], (360.0, 0, width / 2, 0, 360.0, height / 2, 0, 0, 1.0),
        (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0), (0.0,) * 12,
    )  # fmt: skip
    projection = np.column_stack([camera.K, np.zeros(3)])
    with bag_maker(tmp_path / "bag") as bag:
        write(bag, [distort(p, camera) for p in pictures], distortion=camera.distortion, model=model,
              projection=projection)  # fmt: skip
    manifest = record([tmp_path / "bag"], tmp_path / "out", RecordConfig())
    (drive,) = manifest.drives
    assert [frame.source for frame in drive.frames] == list(range(FRAMES))
    sequence = KittiSequence(tmp_path / "out" / drive.folder)
    K = sequence.K
    np.testing.assert_allclose(K[[0, 1], [0, 1]], 360.0)
    left, top = round(width / 2 - K[0, 2]), round(height / 2 - K[1, 2])
    for index in (0, FRAMES - 1):
        got = sequence.image(index).astype(int)
        want = pictures[index][top : top + got.shape[0], left : left + got.shape[1]].astype(int)
        assert got.shape[0] * got.shape[1] > 0.6 * height * width
        inside = np.abs(cv2.GaussianBlur(got.astype(np.float32), (0, 0), 1.5)
                        - cv2.GaussianBlur(want.astype(np.float32), (0, 0), 1.5))[4:-4, 4:-4]  # fmt: skip
        assert inside.mean() < 3  # resampled twice: fine texture is softer, nothing is shifted
        shift = np.abs(np.median(flow(want.astype(np.uint8), got.astype(np.uint8)), axis=0))
        assert (shift < 0.05).all(), shift


def flow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N, 2) movement of corners from one RGB picture to another, pixels."""
    gray = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (first, second)]
    corners = cv2.goodFeaturesToTrack(gray[0], 300, 0.01, 5)
    moved, status, _ = cv2.calcOpticalFlowPyrLK(*gray, corners, None)
    return (moved - corners)[status.ravel() > 0, 0]


def distort(picture: np.ndarray, camera: CameraCalibration) -> np.ndarray:
    """The picture as a lens would have shown it: every raw pixel looks where its ray hits the ideal picture."""
    x, y = np.meshgrid(np.arange(camera.width, dtype=np.float64), np.arange(camera.height, dtype=np.float64))
    points = np.stack([x, y], -1).reshape(-1, 1, 2)
    if camera.model == "equidistant":
        ideal = cv2.fisheye.undistortPoints(points, camera.K, camera.D, P=camera.K)
    else:
        criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-10)
        # OpenCV 5 gave the second function's arguments to the first one.
        undistort = getattr(cv2, "undistortPointsIter", cv2.undistortPoints)
        ideal = undistort(points, camera.K, camera.D, R=np.eye(3), P=camera.K, criteria=criteria)
    maps = ideal.reshape(camera.height, camera.width, 2).astype(np.float32)
    return cv2.remap(picture, maps[..., 0], maps[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def test_calibration_from_a_file(pictures, reference, bag_maker, tmp_path):
    expected = tmp_path / "expected"
    with bag_maker(tmp_path / "bag") as bag:
        for index, picture in enumerate(pictures):
            bag.image(STAMP + index * STEP, picture)
    file = next(expected.glob("*/calib_cam_to_cam.txt"))
    manifest = record([tmp_path / "bag"], tmp_path / "out", RecordConfig(calibration=str(file)))
    assert facts(manifest) == facts(reference)
    camera = rectified_camera(KittiSequence(tmp_path / "out" / manifest.drives[0].folder).calibration)
    assert camera.K[0, 0] == 360.0
    assert str(tmp_path) not in (tmp_path / "out/manifest.json").read_text()


def test_shards_merge_to_what_one_run_gives(drive_bag, tmp_path):
    folder = tmp_path / "bags"
    folder.mkdir()
    for number in range(5):
        shutil.move(drive_bag(f"bag_{number}", 6 + number, start=number * 300), folder)
    whole = record([folder], tmp_path / "whole", RecordConfig(seed=3))
    shards = [tmp_path / f"shard{i}" for i in (1, 2, 3)]
    for number, shard in enumerate(shards, 1):
        record([folder], shard, RecordConfig(seed=3, shard=f"{number}/3"))
    with pytest.raises(SequenceError, match="2 of 5 bags are in none of the shards, the first is number 1"):
        merge(shards[1:], tmp_path / "merged")
    with pytest.raises(SequenceError, match="hold the same shard"):
        merge([shards[0], shards[0]], tmp_path / "merged")
    with pytest.raises(SequenceError, match="is a whole recording"):
        merge([tmp_path / "whole"], tmp_path / "merged")
    merged = merge(shards[::-1], tmp_path / "merged")
    assert merged == whole
    assert merge(shards, tmp_path / "merged") == whole  # nothing to do
    files = [{p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
             for root in (tmp_path / "whole", tmp_path / "merged")]  # fmt: skip
    assert files[0] == files[1]
    with pytest.raises(BagError, match="shard 6/7 has no bag to record: there are only 5"):
        record([folder], tmp_path / "none", RecordConfig(shard="6/7"))
    with pytest.raises(ConfigError, match="must be I/N"):
        RecordConfig(shard="3/2")


@pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "a b\n<script>", ".."])
def test_names_in_a_bag_never_leave_the_output(bag_maker, approach, tmp_path, name):
    (tmp_path / "deep/er").mkdir(parents=True)
    with bag_maker(tmp_path / "bag") as bag:
        for index, picture in enumerate(approach(4)):
            bag.image(STAMP + index * STEP, picture, topic=f"/{name}/image_raw")
            bag.info(STAMP + index * STEP, 320, 240, topic=f"/{name}/camera_info")
    before = {path for path in tmp_path.rglob("*") if "out" not in path.parts}
    record([tmp_path / "bag"], tmp_path / "deep/er/out", RecordConfig())
    assert {path for path in tmp_path.rglob("*") if "out" not in path.parts} == before
    tops = {path.name for path in (tmp_path / "deep/er/out").iterdir()}
    assert tops == {"2011_09_26", "manifest.json", "splits"}
