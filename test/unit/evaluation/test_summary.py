# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Mean and spread over runs, and refusal to mix what was not evaluated alike."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest

from depth_node.config.evaluation import EvaluationConfig
from depth_node.errors import EvaluationError
from depth_node.evaluation.breakdown import PartErrors, range_parts
from depth_node.evaluation.metrics import metrics_of, pixel_errors
from depth_node.evaluation.report import DepthReport, FrameResult
from depth_node.evaluation.summary import Spread, read_evaluations, summarise_runs

CONFIG = EvaluationConfig()


def record_of(factor, config=CONFIG):
    """A run whose predictions are `factor` times the truth: abs_rel is factor - 1 everywhere."""
    truth = np.array([5.0, 12.0, 30.0])
    errors = pixel_errors(truth, truth * factor)
    ranges = PartErrors.of(errors, *range_parts(truth, config.range_edges))
    classes = PartErrors.of(errors, np.array([0, 1, 1]), ("road", "car"))
    frame = FrameResult("drive 0 l", metrics_of(errors), 1 / factor, 3, ranges, classes)
    return DepthReport.of([frame]).record(config, ground_truth="depth pictures", labels="label pictures")


def test_three_seeds_by_hand():
    summary = summarise_runs([record_of(factor) for factor in (1.1, 1.2, 1.6)])
    for name in (
        "metrics.abs_rel",
        "pooled.abs_rel",
        "classes.average.by_dataset.abs_rel",
        "classes.each.car.by_image.abs_rel",
        "ranges.each.10-20 m.by_dataset.abs_rel",
    ):
        spread = summary[name]
        assert spread.mean == pytest.approx(0.3)
        assert spread.std == pytest.approx(math.sqrt((0.04 + 0.01 + 0.09) / 2))  # over n - 1
        assert (spread.low, spread.high, spread.runs) == (pytest.approx(0.1), pytest.approx(0.6), 3)
    assert summary["median_ratio"].mean == pytest.approx(np.mean([1 / 1.1, 1 / 1.2, 1 / 1.6]))
    assert summary["metrics.a1"].mean == pytest.approx(2 / 3)
    assert str(Spread.of([0.1, 0.2, 0.6])) == "0.3000 ± 0.2646"
    assert str(Spread.of([0.1])) == "0.1000"


def test_one_run_has_no_spread():
    assert summarise_runs([record_of(1.5)])["metrics.abs_rel"] == Spread(0.5, 0.0, 0.5, 0.5, 1)


def test_files_of_evaluations_are_read_back(tmp_path):
    records = [record_of(1.1), record_of(1.3)]
    (tmp_path / "runs.json").write_text(json.dumps({"checkpoints": records}))
    assert summarise_runs(read_evaluations(tmp_path / "runs.json")) == summarise_runs(records)


@pytest.mark.parametrize("content", ["{}", "[1]", "no json", '{"checkpoints": [{}]}'])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(EvaluationError, match=r"other.json is no result"):
        read_evaluations(tmp_path / "other.json")
    with pytest.raises(EvaluationError, match="cannot read"):
        read_evaluations(tmp_path / "none.json")


def test_runs_that_were_not_evaluated_alike():
    first = record_of(1.1)
    with pytest.raises(EvaluationError, match="'cap' differs"):
        summarise_runs([first, record_of(1.1, EvaluationConfig(cap=50.0))])
    assert summarise_runs([first, record_of(1.1, EvaluationConfig(device="cpu"))])
    for change in ("labels", "pixels", "frames"):
        other = copy.deepcopy(first)
        other[change] = [{"name": "drive 1 l"}] if change == "frames" else "other"
        with pytest.raises(EvaluationError, match=f"'{change}' differs"):
            summarise_runs([first, other])
    with pytest.raises(EvaluationError, match="no run"):
        summarise_runs([])
