# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A video or a folder of pictures -> sequence -> training, with a camera that is told, or learnt."""

from __future__ import annotations

import csv
import json
import shutil

import cv2
import numpy as np
import pykitti
import pytest

from depth_node.checkpoints.depth import read_info
from depth_node.cli.main import main
from depth_node.kitti.search import find_sequences
from depth_node.recording.manifest import read_manifest

WIDTH, HEIGHT, FRAMES = 320, 240, 24
DAY = "2026_05_01"
TRAIN = [
    *("--network.height", "64", "--network.width", "96", "--network.pose", "posenet", "--no_pretrained"),
    *("--batch_size", "2", "--workers", "0", "--log_every", "1", "--device", "cpu"),
]


@pytest.fixture
def video(tmp_path, approach):
    """A drive towards a wall."""
    path = tmp_path / "drive.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (WIDTH, HEIGHT))
    for picture in approach(FRAMES):
        writer.write(picture[..., ::-1])
    writer.release()
    return path


def record(source, output, *more):
    return main(["record", str(source), "--output", str(output), "--start", "2026-05-01T12:00:00", *more])


def test_a_video_with_its_field_of_view(video, tmp_path, approach, capsys):
    assert record(video, tmp_path / "out", "--fov", "65.2") == 0
    said = capsys.readouterr().out
    assert f"{DAY}_drive_0001_sync: {FRAMES} frames (320x240)" in said
    assert "See " in said  # the report
    kitti = pykitti.raw(str(tmp_path / "out"), DAY, "0001")
    focal = WIDTH / 2 / np.tan(np.radians(65.2) / 2)
    np.testing.assert_allclose(kitti.calib.K_cam2, [[focal, 0, 159.5], [0, focal, 119.5], [0, 0, 1]])
    assert [(moment - kitti.timestamps[0]).total_seconds() for moment in kitti.timestamps[:3]] == [0.0, 0.1, 0.2]
    difference = np.asarray(kitti.get_cam2(FRAMES - 1)).astype(int) - approach(FRAMES)[-1]
    assert np.abs(difference).mean() < 12
    manifest = read_manifest(tmp_path / "out/manifest.json")
    (bag,), (drive,) = manifest.bags, manifest.drives
    assert (bag.name, bag.images, bag.lost, drive.image_topic) == ("drive.avi", FRAMES, None, "video")
    assert bag.files[0].bytes == video.stat().st_size
    assert record(video, tmp_path / "out", "--fov", "65.2") == 0  # it is there already
    assert record(video, tmp_path / "out", "--fov", "70") == 1


def test_pictures_with_a_calibration_and_a_broken_one(tmp_path, approach):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, picture in enumerate(approach(FRAMES), 1):
        cv2.imwrite(str(folder / f"{number}.jpg"), picture[..., ::-1])
    (folder / "12.jpg").write_bytes((folder / "12.jpg").read_bytes()[:500])
    text = "{image_width: 320, image_height: 240, k: [250, 0, 160, 0, 250, 120, 0, 0, 1]}"
    (tmp_path / "camera.yaml").write_text(text)
    flags = ["--calibration", str(tmp_path / "camera.yaml"), "--picture_rate", "5", "--format", "jpg"]
    assert record(folder, tmp_path / "out", *flags) == 0
    (drive,) = read_manifest(tmp_path / "out/manifest.json").drives
    assert [frame.source for frame in drive.dropped if frame.category == "damaged"] == [11]
    assert len(drive.frames) == FRAMES - 1
    assert drive.frames[1].stamp_ns - drive.frames[0].stamp_ns == 200_000_000
    (sequence,) = find_sequences(tmp_path / "out")
    assert sequence.image_path(0).read_bytes() == (folder / "1.jpg").read_bytes()  # not encoded again
    assert sequence.K[0, 0] == 250


def test_without_a_camera_the_ways_to_one_are_named(video, tmp_path, capsys):
    assert record(video, tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--calibration FILE or --fov DEGREES (from side to side), or have it learnt" in error
    assert not (tmp_path / "out").exists()


def test_a_cut_video_is_recorded_as_far_as_it_goes(video, tmp_path, capsys):
    data = video.read_bytes()
    video.write_bytes(data[: len(data) * 8 // 10])
    assert record(video, tmp_path / "out", "--fov", "60") == 0
    assert "warning: drive.avi is damaged, " in capsys.readouterr().out
    (bag,) = read_manifest(tmp_path / "out/manifest.json").bags
    assert bag.lost.messages == FRAMES - bag.images > 0


def test_a_guessed_camera_is_learnt_and_goes_on_exactly(video, tmp_path, one_thread, capsys):
    assert record(video, tmp_path / "out", "--learn_intrinsics") == 0
    assert "train with --network.learn_intrinsics" in capsys.readouterr().out
    assert "first guess" in json.dumps(json.loads((tmp_path / "out/report.json").read_text()))
    command = ["train", "--data", str(tmp_path / "out"), *TRAIN]
    assert main([*command, "--output", str(tmp_path / "no"), "--steps", "1"]) == 1
    assert "is a first guess (depth record --learn_intrinsics): add --network.learn" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()

    learning = [*command, "--network.learn_intrinsics", "--intrinsics_learning_rate", "0.01", "--save_every", "2"]
    assert main([*learning, "--output", str(tmp_path / "whole"), "--steps", "4", "--decay_at", "1"]) == 0
    assert main([*learning, "--output", str(tmp_path / "parts"), "--steps", "2", "--decay_at", "1"]) == 0
    assert main([*learning, "--output", str(tmp_path / "parts"), "--steps", "4", "--decay_at", "1", "--resume"]) == 0
    focal = {}
    for run in ("whole", "parts"):
        with (tmp_path / run / "metrics.csv").open() as file:
            focal[run] = [row["focal"] for row in csv.DictReader(file) if row["stage"] == "train"]
    assert focal["whole"] == focal["parts"]
    assert len(set(focal["whole"])) == 4
    infos = [read_info(tmp_path / run / "last.safetensors") for run in focal]
    assert infos[0].camera == infos[1].camera
    learnt = infos[0].camera.fx / infos[0].camera.width
    assert learnt != pytest.approx(0.5 / np.tan(np.radians(30)), rel=1e-3)  # the guess
    assert learnt == pytest.approx(infos[0].camera.fy / infos[0].camera.height * HEIGHT / WIDTH)

    capsys.readouterr()
    assert main(["inspect", str(tmp_path / "whole/last.safetensors")]) == 0
    assert f"focal length {learnt:.3f} of the width at 96x64, learnt in training" in capsys.readouterr().out
    # Another run begins with what this one has learnt.
    start = ["--initial", str(tmp_path / "whole/last.safetensors"), "--intrinsics_learning_rate", "0"]
    again = tmp_path / "again"
    assert main([*command, "--network.learn_intrinsics", *start, "--output", str(again), "--steps", "1"]) == 0
    assert read_info(again / "last.safetensors").camera.fx == pytest.approx(infos[0].camera.fx)


def test_a_focal_length_that_cannot_be_learnt(video, tmp_path, capsys):
    for day, degrees in (("2026-05-01", "60"), ("2026-05-02", "80")):
        part = tmp_path / day
        assert record(video, part, "--fov", degrees, "--start", day) == 0
        shutil.copytree(part / day.replace("-", "_"), tmp_path / "data" / day.replace("-", "_"))
    command = ["train", "--network.learn_intrinsics", *TRAIN, "--steps", "1", "--output", str(tmp_path / "run")]
    assert main([*command, "--data", str(tmp_path / "data")]) == 1
    assert "cameras of several focal lengths (0.596 to 0.866 of the width)" in capsys.readouterr().err
    assert main([*command, "--data", str(tmp_path / "2026-05-01"), "--no_distillation.photometric"]) == 1
    assert "learnt from motion" in capsys.readouterr().err
