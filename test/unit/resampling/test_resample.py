# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whole resamplings. The network is stood in for by pictures that hold their own depth, so that the truth is known."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch

from depth_node.cli.main import main
from depth_node.config.resampling import ResamplingConfig
from depth_node.errors import SequenceError
from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.layout import FrameReference, KittiSequence, read_split, write_split
from depth_node.resampling import usual_plane
from depth_node.resampling.below_ground import OTHER_FRAMES
from depth_node.resampling.predictor import DepthPredictor
from depth_node.resampling.resample import resample
from depth_node.resampling.roots import join_roots
from depth_node.resampling.verdict import DROPPED, KEPT, NO_PLANE

DRIVE = "2024_01_01/2024_01_01_drive_{:04d}_sync"
CARS = {2: 8.0, 3: 14.0, 7: 20.0}
"""Frame to metres of the infinite car ahead."""
WALL = 5
"""A frame without ground."""
FRAMES = 9


def write_drive(root, street, camera, number=1, cars=CARS, frames=FRAMES):
    drive = root / DRIVE.format(number)
    folder = drive / "image_02/data"
    folder.mkdir(parents=True)
    write_calibration(drive.parent, camera.numpy(), 320, 96, stamp_ns=0)
    for frame in range(frames):
        depth = torch.full((96, 320), 20.0) if frame == WALL else street(cars.get(frame, 0.0))[0]
        shown = (depth.clamp(0, 100) * 650).numpy().astype(np.uint16)
        parts = np.stack([np.full_like(shown, 40), shown >> 8, shown & 255], -1).astype(np.uint8)  # BGR
        cv2.imwrite(str(folder / f"{frame:010d}.png"), parts)
    return drive


@pytest.fixture
def recorded(tmp_path, street, camera):
    root = tmp_path / "recorded"
    write_drive(root, street, camera)
    write_split(root / "splits/train_files.txt", [FrameReference(DRIVE.format(1), frame) for frame in range(8)])
    write_split(root / "splits/val_files.txt", [FrameReference(DRIVE.format(1), 8)])
    return root


@pytest.fixture
def checkpoint(tmp_path_factory):
    from depth_node.checkpoints.depth import CheckpointInfo, save_checkpoint
    from depth_node.config.network import NetworkConfig
    from depth_node.networks.factory import build_depth_network

    path = tmp_path_factory.mktemp("stage1") / "best.safetensors"
    config = NetworkConfig(height=96, width=320)
    save_checkpoint(path, CheckpointInfo(network=config), build_depth_network(config))
    return path


@pytest.fixture
def seen(monkeypatch):
    """Pictures of frames that were predicted."""
    pictures = []

    def depth_of(_, images):
        pictures.extend(images)
        values = images[..., 0].float() + 256 * images[..., 1].float()  # RGB: red the low byte
        return (values / 650.0)[:, None], None

    monkeypatch.setattr(DepthPredictor, "__call__", depth_of)
    return pictures


def run(recorded, checkpoint, output, *more):
    arguments = ["--checkpoint", str(checkpoint), "--sequences", str(recorded), "--output", str(output)]
    return main(["resample", *arguments, "--workers", "0", "--batch_size", "3", *more])


def test_frames_with_infinite_cars_go_and_all_is_written(recorded, checkpoint, seen, tmp_path, capsys):
    output = tmp_path / "resampled"
    assert run(recorded, checkpoint, output) == 0
    kept = [reference.index for reference in read_split(output / "train_files.txt")]
    assert kept == [frame for frame in range(8) if frame not in CARS]
    val = "splits/val_files.txt"
    assert (output / "val_files.txt").read_text() == (recorded / val).read_text()
    record = json.loads((output / "resampled.json").read_text())
    verdicts = {int(one["frame"].split()[1]): one for one in record["verdicts"]}
    assert [verdicts[frame]["decision"] for frame in (0, 2, WALL)] == [KEPT, DROPPED, NO_PLANE]
    assert verdicts[0]["distance"] == pytest.approx(1.65, rel=0.01)
    assert verdicts[0]["normal"] == pytest.approx([0, 1, 0], abs=0.01)
    assert verdicts[2]["below"] > verdicts[7]["below"] > record["allowed_pixels_below"] == 2.5
    assert record["settings"]["margin"] == ResamplingConfig().margin
    said = capsys.readouterr().out
    assert "3 of 8 training frames dropped (37.5%)" in said
    assert f"depth train --data {recorded} --splits {output}" in said
    assert {path.name for path in output.iterdir()} == {
        *("train_files.txt", "val_files.txt", "resampled.json", "report.html", "report.png")
    }


def test_the_usual_plane_serves_where_a_car_hides_the_ground(checkpoint, seen, tmp_path, street, camera, capsys):
    root = tmp_path / "recorded"
    frames = [*range(usual_plane.ENOUGH + 2)]
    write_drive(root, street, camera, number=1, cars={3: 2.0}, frames=len(frames))
    # Too short for a usual plane of its own, and with nothing but the car: the other drive of the day has one.
    write_drive(root, street, camera, number=2, cars={0: 2.0, 1: 2.0}, frames=3)
    names = [(DRIVE.format(1), frame) for frame in frames] + [(DRIVE.format(2), frame) for frame in range(2)]
    write_split(root / "splits/train_files.txt", [FrameReference(*name) for name in names])
    assert run(root, checkpoint, tmp_path / "out") == 0
    record = json.loads((tmp_path / "out/resampled.json").read_text())
    assert f"{len(names) + 4}/{len(names) + 4}" in capsys.readouterr().err  # four of them twice: three cars and a wall
    hidden = [one for one in record["verdicts"] if one["candidates"] == OTHER_FRAMES]
    assert [one["frame"] for one in hidden] == [f"{DRIVE.format(1)} 3 l", *(f"{DRIVE.format(2)} {n} l" for n in (0, 1))]
    for one in hidden:
        assert one["decision"] == DROPPED
        assert one["distance"] == pytest.approx(1.65, rel=0.01)
        assert one["normal"] == pytest.approx([0, 1, 0], abs=0.01)
    # A wall shows no plane and nothing below the usual one: it stays.
    assert [one["decision"] for one in record["verdicts"] if one["frame"].endswith(f"1_sync {WALL} l")] == [NO_PLANE]


def test_the_report_shows_the_worst_in_red(recorded, checkpoint, seen, tmp_path):
    assert run(recorded, checkpoint, tmp_path / "out", "--worst", "2") == 0
    picture = cv2.imread(str(tmp_path / "out/report.png"))
    rows = np.where((picture == (20, 20, 230)).all(-1).sum(1) > 5)[0]
    assert len(np.where(np.diff(rows) > 50)[0]) == 1  # two frames, apart
    assert (tmp_path / "out/report.html").read_text().count("data:image/png") == 2


def test_an_interrupted_run_goes_on(recorded, checkpoint, seen, tmp_path, monkeypatch):
    output = tmp_path / "out"
    references = read_split(recorded / "splits/train_files.txt")
    config = ResamplingConfig(batch_size=3, workers=0)

    def stop(done, total):
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resample(checkpoint, recorded, references, config, output, stop)
    assert len(seen) == 6
    assert not (output / "train_files.txt").exists()
    path = next(output.glob(".verdicts.*"))
    path.write_text(path.read_text()[:-20])  # the last line is cut off
    assert run(recorded, checkpoint, output, "--worst", "0") == 0
    assert len(seen) == 6 + 3
    # Other settings: nothing of the old verdicts is used.
    with pytest.raises(KeyboardInterrupt):
        resample(checkpoint, recorded, references, config, output, stop)
    assert run(recorded, checkpoint, output, "--margin", "0.7", "--worst", "0") == 0
    assert len(seen) == 9 + 6 + 8


def test_a_frame_that_has_changed_is_judged_again(recorded, checkpoint, seen, tmp_path):
    output = tmp_path / "out"
    references = read_split(recorded / "splits/train_files.txt")
    config = ResamplingConfig(batch_size=3, workers=0)
    resample(checkpoint, recorded, references, config, output)
    once = len(seen)
    resample(checkpoint, recorded, references, config, output)
    assert len(seen) == once
    picture = KittiSequence(recorded / DRIVE.format(1)).image_path(6)
    picture.write_bytes(picture.read_bytes() + b" ")
    resample(checkpoint, recorded, references, config, output)
    assert len(seen) == once + 1


def test_nothing_to_judge_is_one_line(checkpoint, tmp_path, street, camera, capsys):
    write_drive(tmp_path / "short", street, camera, frames=1)
    assert run(tmp_path / "short", checkpoint, tmp_path / "out") == 1
    assert "no training frame under" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_several_roots_become_one(recorded, checkpoint, seen, tmp_path, street, camera):
    other = tmp_path / "other"
    drive = write_drive(other, street, camera, number=2)
    root, train, val = join_roots([recorded, other])
    assert root == tmp_path
    assert [str(train[0]), str(val[-1])] == [
        f"recorded/{DRIVE.format(1)} 0 l",
        f"other/{DRIVE.format(2)} {KittiSequence(drive).frames[-2]} l",
    ]
    assert run(recorded, checkpoint, tmp_path / "out", "--sequences", str(recorded), str(other)) == 0
    for reference in read_split(tmp_path / "out/train_files.txt"):
        assert KittiSequence(root / reference.folder).image_path(reference.index).exists()


def test_other_splits_may_be_judged(recorded, checkpoint, seen, tmp_path):
    write_split(tmp_path / "few/train_files.txt", [FrameReference(DRIVE.format(1), frame) for frame in (1, 2)])
    assert run(recorded, checkpoint, tmp_path / "out", "--splits", str(tmp_path / "few")) == 0
    assert [each.index for each in read_split(tmp_path / "out/train_files.txt")] == [1]
    assert (tmp_path / "out/val_files.txt").read_text() == ""


def test_labels_say_where_the_ground_is(recorded, checkpoint, seen, tmp_path):
    sequence = KittiSequence(recorded / DRIVE.format(1))
    labels = np.full((96, 320), 2, np.uint8)  # building
    labels[60:] = 0  # road
    for frame in (0, 1):
        sequence.label_path(frame).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(sequence.label_path(frame)), labels)
    assert run(recorded, checkpoint, tmp_path / "out") == 0
    kinds = [one["candidates"] for one in json.loads((tmp_path / "out/resampled.json").read_text())["verdicts"]]
    assert kinds[:3] == ["labels", "labels", "geometric"]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["--keep_at_least", "0.9"], "only 62% of the frames would be left"),
        (["--candidates", "network"], "has no semantic network"),
        (["--sequences", "nowhere"], "no folder nowhere"),
        (["--splits", "nowhere"], "cannot read split file nowhere"),
        (["--classes", "citiscapes"], "unknown class map"),
        (["--checkpoint", "missing.safetensors"], "missing.safetensors"),
        (["--output", "RECORDING"], "is a recording, whose report would be lost"),
    ],
)
def test_mistakes_get_one_line_and_no_splits(recorded, checkpoint, seen, tmp_path, capsys, more, complaint):
    (recorded / "manifest.json").write_text("{}")
    more = [str(recorded) if word == "RECORDING" else word for word in more]
    assert run(recorded, checkpoint, tmp_path / "out", *more) == 1
    complaints = [line for line in capsys.readouterr().err.splitlines() if line.startswith("depth resample")]
    assert len(complaints) == 1
    assert complaint in complaints[0]
    assert not (tmp_path / "out/train_files.txt").exists()


def test_a_frame_that_is_not_there_is_named(recorded, checkpoint, seen, tmp_path):
    references = [FrameReference(DRIVE.format(1), 77)]
    with pytest.raises(SequenceError, match="no frame 77"):
        resample(checkpoint, recorded, references, ResamplingConfig(workers=0), tmp_path / "out")


def test_a_real_network_predicts_whole_batches(recorded, checkpoint, guided_checkpoint):
    images = torch.randint(0, 256, (2, 96, 320, 3), dtype=torch.uint8)
    depth, ground = DepthPredictor(checkpoint, ResamplingConfig())(images)
    assert depth.shape == (2, 1, 96, 320)
    assert ground is None
    depth, ground = DepthPredictor(guided_checkpoint, ResamplingConfig())(images[:, :64, :128])
    assert ground.shape == (2, 64, 128)
    assert ground.dtype == torch.bool
    assert ground.any()
    alone, _ = DepthPredictor(guided_checkpoint, ResamplingConfig(candidates="geometric"))(images[:1, :64, :128])
    torch.testing.assert_close(alone[0], depth[0], rtol=1e-3, atol=1e-4)
