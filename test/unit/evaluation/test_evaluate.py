"""The protocol over whole drives: which frames, what is predicted, what is reported."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from depth_node.config.evaluation import EvaluationConfig
from depth_node.data.kitti import FrameReference, write_split
from depth_node.errors import EvaluationError, SequenceError
from depth_node.evaluation.evaluate import compare_frames, select_frames
from depth_node.evaluation.pictures import CAPTION_HEIGHT, comparison_picture
from depth_node.evaluation.protocol import resize_depth
from depth_node.evaluation.report import DepthReport
from depth_node.inference.estimator import DepthEstimator

DRIVE = "2024_01_01/2024_01_01_drive_0001_sync"
CONFIG = EvaluationConfig(device="cpu")


def test_all_frames_with_measured_depth(measured_drive):
    root = measured_drive.folder.parents[1]
    for folder in (root, measured_drive.folder):
        assert [frame.name for frame in select_frames([folder], CONFIG)] == [f"{DRIVE} {i} l" for i in (1, 2, 3)]


def test_every_second_frame(measured_drive):
    frames = select_frames([measured_drive.folder], EvaluationConfig(every=2))
    assert [frame.index for frame in frames] == [1, 3]


def test_frames_of_a_split(measured_drive, tmp_path):
    root = measured_drive.folder.parents[1]
    write_split(tmp_path / "split.txt", [FrameReference(DRIVE, 0), FrameReference(DRIVE, 3)])
    assert [frame.index for frame in select_frames([root], CONFIG, tmp_path / "split.txt")] == [3]


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        (FrameReference("2024_01_01/other", 0), SequenceError, "names '2024_01_01/other', which is not below"),
        (FrameReference(DRIVE, 99), SequenceError, "no frame 99"),
        (FrameReference(DRIVE, 0), EvaluationError, "none of the frames has measured depth"),
    ],
)
def test_a_split_that_does_not_fit(measured_drive, tmp_path, line, error, says):
    write_split(tmp_path / "split.txt", [line])
    with pytest.raises(error, match=says):
        select_frames([measured_drive.folder.parents[1]], CONFIG, tmp_path / "split.txt")


def test_one_simulation_is_one_drive(measured_drive, tmp_path):
    shutil.copytree(measured_drive.folder, measured_drive.folder.with_name("2024_01_01_drive_0002_sync"))
    with pytest.raises(EvaluationError, match="cannot serve 2 drives"):
        select_frames([measured_drive.folder.parents[1]], CONFIG, ground_truth=tmp_path)


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
    result = first.result()
    assert result.pixels == truth.size == 35 * 185
    assert result.ratio == pytest.approx(ratio, rel=1e-9)
    assert result.metrics.abs_rel == pytest.approx(np.mean(np.abs(truth - ratio * guess) / truth), rel=1e-9)


def test_a_report_is_the_mean_over_frames(measured_drive, estimator):
    frames = [
        frame.result() for frame in compare_frames(estimator, select_frames([measured_drive.folder], CONFIG), CONFIG)
    ]
    report = DepthReport.of(frames)
    assert report.metrics.rmse == pytest.approx(np.mean([frame.metrics.rmse for frame in frames]))
    ratios = np.array([frame.ratio for frame in frames])
    assert report.median_ratio == pytest.approx(np.median(ratios))
    assert report.ratio_spread == pytest.approx(np.std(ratios) / np.median(ratios))
    record = report.record(CONFIG, checkpoint="x")
    assert (record["images"], record["checkpoint"], len(record["frames"])) == (3, "x", 3)
    assert record["protocol"]["cap"] == 80.0


def test_a_frame_without_valid_pixel_is_named(measured_drive, estimator):
    near = EvaluationConfig(cap=5.0)
    with pytest.raises(EvaluationError, match="drive_0001_sync 1 l': no pixel"):
        list(compare_frames(estimator, select_frames([measured_drive.folder], near), near))


def test_the_picture_has_four_panels(measured_drive, estimator):
    (frame,) = compare_frames(estimator, select_frames([measured_drive.folder], CONFIG)[:1], CONFIG)
    picture = comparison_picture(frame, CONFIG)
    assert picture.shape == (2 * (60 + CAPTION_HEIGHT), 2 * 200, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[CAPTION_HEIGHT : CAPTION_HEIGHT + 60, :200], frame.image)
