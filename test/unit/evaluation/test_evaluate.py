# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol over whole drives: which frames, what is predicted, what is reported."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from depth_node.config.evaluation import EvaluationConfig
from depth_node.errors import EvaluationError, SequenceError
from depth_node.evaluation.comparison_picture import CAPTION_HEIGHT, comparison_picture
from depth_node.evaluation.evaluate import compare_frames, measured_on, select_frames
from depth_node.evaluation.protocol import resize_depth
from depth_node.evaluation.report import DepthReport
from depth_node.inference.estimator import DepthEstimator
from depth_node.kitti.layout import FrameReference, write_split
from depth_node.simulation import ground_truth as simulated

DRIVE = "2024_01_01/2024_01_01_drive_0001_sync"
CONFIG = EvaluationConfig(device="cpu")


def test_all_frames_with_measured_depth(measured_drive):
    root = measured_drive.folder.parents[1]
    for folder in (root, measured_drive.folder):
        assert [frame.name for frame in select_frames([folder], CONFIG)] == [f"{DRIVE} {i} l" for i in (1, 2, 3)]


def test_every_second_frame(measured_drive):
    frames = select_frames([measured_drive.folder], EvaluationConfig(every=2))
    assert [frame.index for frame in frames] == [1, 3]


def test_repeated_lines_of_a_split_count_once(measured_drive, tmp_path):
    write_split(tmp_path / "split.txt", [FrameReference(DRIVE, 3)] * 2)
    assert len(select_frames([measured_drive.folder.parents[1]], CONFIG, tmp_path / "split.txt")) == 1


def test_frames_of_a_split(measured_drive, tmp_path, caplog):
    root = measured_drive.folder.parents[1]
    write_split(tmp_path / "split.txt", [FrameReference(DRIVE, 0), FrameReference(DRIVE, 3)])
    assert [frame.index for frame in select_frames([root], CONFIG, tmp_path / "split.txt")] == [3]
    assert f"1 of the 2 frames of {tmp_path / 'split.txt'} have no measured depth" in caplog.text


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        (
            FrameReference("2024_01_01/other", 0),
            SequenceError,
            "1 of 1 frames .*, for example '2024_01_01/other l'",
        ),
        (FrameReference(DRIVE, 99), SequenceError, "1 of 1 frames of the split are not below .*drive_0001_sync 99 l"),
        (FrameReference(DRIVE, 0), EvaluationError, "none of the frames has measured depth"),
    ],
)
def test_a_split_that_does_not_fit(measured_drive, tmp_path, line, error, says):
    write_split(tmp_path / "split.txt", [line])
    with pytest.raises(error, match=says):
        select_frames([measured_drive.folder.parents[1]], CONFIG, tmp_path / "split.txt")


@pytest.fixture
def streets(measured_drive, tmp_path):
    """A second drive beside the measured one, and a simulated truth of two frames for each: 5 m, 6 m and labels."""
    shutil.copytree(measured_drive.folder, measured_drive.folder.with_name("2024_01_01_drive_0002_sync"))
    for name, depth in (("s1", 5.0), ("s2", 6.0)):
        for frame in range(2):
            folder = tmp_path / name / "ground_truth"
            simulated.write_depth(simulated.depth_path(folder, frame), np.full((60, 200), depth, np.float32))
            labels = np.repeat([[0, 13, 255, 0]], 60, axis=0).repeat(50, axis=1).astype(np.uint8)
            simulated.write_labels(simulated.labels_path(folder, frame), labels)
    return [tmp_path / "s1/ground_truth", tmp_path / "s2"]


def test_each_drive_has_its_simulation(measured_drive, streets):
    root = measured_drive.folder.parents[1]
    frames = select_frames([root], CONFIG, ground_truth=streets)
    assert [(frame.name[-8:], frame.truth.read(frame.index)[0, 0]) for frame in frames] == [
        ("sync 0 l", 5.0),
        ("sync 1 l", 5.0),
        ("sync 0 l", 6.0),
        ("sync 1 l", 6.0),
    ]
    assert measured_on(frames) == {"ground_truth": "simulated depth", "labels": "simulated labels"}
    second = [measured_drive.folder.with_name("2024_01_01_drive_0002_sync"), measured_drive.folder]
    assert select_frames(second, CONFIG, ground_truth=streets)[0].truth.read(0)[0, 0] == 5.0  # in the order given
    with pytest.raises(EvaluationError, match="2 drives cannot be evaluated with 1 ground truth folders"):
        select_frames([root], CONFIG, ground_truth=streets[:1])


def test_a_split_takes_only_the_simulations_of_its_drives(measured_drive, streets, tmp_path):
    lines = [FrameReference(DRIVE.replace("0001", "0002"), 1), FrameReference(DRIVE, 0)]
    write_split(tmp_path / "split.txt", lines)
    frames = select_frames([measured_drive.folder.parents[1]], CONFIG, tmp_path / "split.txt", streets)
    assert [frame.truth.read(frame.index)[0, 0] for frame in frames] == [6.0, 5.0]
    write_split(tmp_path / "split.txt", lines[:1])
    frames = select_frames([measured_drive.folder.parents[1]], CONFIG, tmp_path / "split.txt", streets[1:])
    assert [frame.truth.read(frame.index)[0, 0] for frame in frames] == [6.0]


def test_drives_of_equal_name_are_told_apart(measured_drive, tmp_path):
    shutil.copytree(measured_drive.folder.parents[1], tmp_path / "other")
    frames = select_frames([measured_drive.folder, tmp_path / "other"], EvaluationConfig(every=3))
    assert [frame.name for frame in frames] == [f"kitti/{DRIVE} 1 l", f"other/{DRIVE} 1 l"]


def test_classes_and_ranges_of_a_frame(measured_drive, streets, estimator):
    frames = select_frames([measured_drive.folder], CONFIG, ground_truth=streets[:1])
    (compared,) = compare_frames(estimator, frames[:1], CONFIG)
    result = compared.result(CONFIG)
    # Garg crop of 60 x 200: rows 24:59, columns 7:192; road on columns 0:50 and 150:200, car on 50:100.
    assert result.classes.pixels[[0, 13]].tolist() == [35 * (43 + 42), 35 * 50]
    assert result.classes.pixels.sum() == 35 * 135
    assert result.ranges.pixels.tolist() == [35 * 185, 0, 0, 0]
    error = np.full((60, 200), np.nan)
    error[compared.comparison.mask] = np.abs(compared.comparison.prediction / 5.0 - 1.0)
    assert result.classes.sums[13, 0] == pytest.approx(error[24:59, 50:100].sum())
    unlabelled = select_frames([measured_drive.folder], EvaluationConfig(labels="none"), ground_truth=streets[:1])
    (compared,) = compare_frames(estimator, unlabelled[:1], CONFIG)
    assert compared.result(CONFIG).classes is None


def test_flip_post_processing_is_a_setting(measured_drive, estimator):
    frames = select_frames([measured_drive.folder], CONFIG)[:1]
    (plain,) = compare_frames(estimator, frames, CONFIG)
    (flipped,) = compare_frames(estimator, frames, EvaluationConfig(flip_post_processing=True))
    np.testing.assert_array_equal(flipped.depth[:, -1], plain.depth[:, -1])
    assert not np.allclose(flipped.depth[:, 96], plain.depth[:, 96], rtol=1e-4)


@pytest.fixture(scope="module")
def estimator(checkpoint_file):
    return DepthEstimator.from_checkpoint(checkpoint_file, "cpu", "fp32")


def test_numbers_equal_those_of_the_arrays(measured_drive, estimator):
    compared = list(compare_frames(estimator, select_frames([measured_drive.folder], CONFIG), CONFIG))
    first = compared[0]
    depth = estimator.estimate(measured_drive.image(1), measured_drive.K).depth.numpy()
    guess = resize_depth(depth, 60, 200)[24:59, 7:192].astype(np.float64)  # Garg crop of 60 x 200
    truth = np.full((60, 200), 20.0)
    truth[:, 100:] = 10.0
    truth = truth[24:59, 7:192]
    ratio = np.median(truth) / np.median(guess)
    result = first.result(CONFIG)
    assert result.pixels == truth.size == 35 * 185
    assert result.ratio == pytest.approx(ratio, rel=1e-9)
    assert result.metrics.abs_rel == pytest.approx(np.mean(np.abs(truth - ratio * guess) / truth), rel=1e-9)


def test_a_report_is_the_mean_over_frames(measured_drive, estimator):
    frames = [
        frame.result(CONFIG)
        for frame in compare_frames(estimator, select_frames([measured_drive.folder], CONFIG), CONFIG)
    ]
    report = DepthReport.of(frames)
    assert report.metrics.rmse == pytest.approx(np.mean([frame.metrics.rmse for frame in frames]))
    ratios = np.array([frame.ratio for frame in frames])
    assert report.median_ratio == pytest.approx(np.median(ratios))
    assert report.ratio_spread == pytest.approx(np.std(ratios) / np.median(ratios))
    assert report.pooled.rmse == pytest.approx(np.sqrt(np.mean([frame.metrics.rmse**2 for frame in frames])))
    record = report.record(CONFIG, checkpoint="x")
    assert (record["images"], record["checkpoint"], len(record["frames"])) == (3, "x", 3)
    assert record["protocol"]["cap"] == 80.0
    assert record["ratio_range"] == [ratios.min(), ratios.max()]
    assert list(record["ranges"]["each"]) == ["10-20 m", "20-40 m"]
    assert record["classes"]["average"]["by_dataset"] is None  # no labels


def test_frames_without_valid_pixel_are_left_out(measured_drive, estimator):
    near = EvaluationConfig(cap=5.0)
    assert list(compare_frames(estimator, select_frames([measured_drive.folder], near), near)) == [None] * 3
    with pytest.raises(EvaluationError, match="no frame has ground truth inside the crop"):
        DepthReport.of([None] * 3)


def test_the_picture_has_four_panels(measured_drive, estimator):
    (frame,) = compare_frames(estimator, select_frames([measured_drive.folder], CONFIG)[:1], CONFIG)
    picture = comparison_picture(frame, CONFIG)
    assert picture.shape == (2 * (60 + CAPTION_HEIGHT), 2 * 200, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[CAPTION_HEIGHT : CAPTION_HEIGHT + 60, :200], frame.image)
