# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Tables for people: names of rows, columns on request, markdown, and the papers beside us."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depth_node.config.evaluation import EvaluationConfig
from depth_node.evaluation import tables
from depth_node.evaluation.breakdown import PartErrors, range_parts
from depth_node.evaluation.metrics import DepthMetrics, metrics_of, pixel_errors
from depth_node.evaluation.published import PUBLISHED
from depth_node.evaluation.report import DepthReport, EvaluatedCheckpoint, FrameResult, notes

CONFIG = EvaluationConfig()


def evaluated(name, factor, images=1, labelled=True):
    """A checkpoint whose road is exact and whose car is `factor` times too far; scaled as it is."""
    truth, factors = np.array([5.0, 12.0]), np.array([1.0, factor])
    errors = pixel_errors(truth, truth * factors)
    ranges = PartErrors.of(errors, *range_parts(truth, CONFIG.range_edges))
    classes = PartErrors.of(errors, np.array([0, 1]), ("road", "car")) if labelled else None
    frame = FrameResult("drive 0 l", metrics_of(errors), 1.0, 2, ranges, classes)
    return EvaluatedCheckpoint(name, Path(name), "640x192", DepthReport.of([frame] * images))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/a/last.safetensors"], ["last"]),
        (["a/last.safetensors", "b/best.safetensors"], ["last", "best"]),
        (["runs/a/last.safetensors", "runs/b/last.safetensors"], ["a/last", "b/last"]),
        (["x/a/last.safetensors", "y/a/last.safetensors"], ["x/a/last", "y/a/last"]),
        (["v1.5", "v1.6"], ["v1.5", "v1.6"]),
    ],
)
def test_names_are_as_short_as_they_can_be(paths, names):
    assert tables.distinct_names([Path(path) for path in paths]) == names


def test_one_row_per_checkpoint():
    table = tables.metrics_table([evaluated("a", 1.2), evaluated("b", 1.4)], CONFIG, "against x")
    assert table.headings[1:] == ("abs_rel", "sq_rel", "rmse", "rmse_log", "a1", "a2", "a3", "class abs_rel")
    assert [(row[0], row[1], row[-1]) for row in table.rows] == [("a", "0.1000", "0.1000"), ("b", "0.2000", "0.2000")]
    without = tables.metrics_table([evaluated("a", 1.2, labelled=False)], CONFIG, "against x")
    assert without.headings[-1] == "a3"
    assert len(without.rows[0]) == len(without.headings)


def test_one_checkpoint_shows_all_metrics_of_each_class():
    table = tables.class_table([evaluated("a", 1.2)], CONFIG)
    assert [row[:4] for row in table.rows] == [
        ("road", "50.00%", "1", "0.0000"),
        ("car", "50.00%", "1", "0.2000"),
        ("average", "", "1", "0.1000"),
    ]


def test_several_checkpoints_show_a_column_per_class():
    table = tables.class_table([evaluated("a", 1.2), evaluated("b", 1.4)], CONFIG)
    assert table.headings == ("", "road", "car", "average")
    assert table.rows == (("a", "0.0000", "0.2000", "0.1000"), ("b", "0.0000", "0.4000", "0.2000"))
    ranges = tables.range_table([evaluated("a", 1.2), evaluated("b", 1.4)], CONFIG)
    assert ranges.headings == ("", "0-10 m", "10-20 m", "average")


def test_markdown(tmp_path):
    table = tables.TextTable("a title", ("name", "x"), (("a|b", "1"), ("c", "2")))
    assert table.markdown() == "a title\n\n| name | x |\n| --- | ---: |\n| a\\|b | 1 |\n| c | 2 |\n"
    tables.write_markdown(tmp_path / "out/table.md", [table, table], ["one note", ""])
    assert (tmp_path / "out/table.md").read_text() == f"{table.markdown()}\n{table.markdown()}\n* one note\n"


def test_ours_are_below_the_papers():
    shown = tables.published_tables([evaluated("a", 1.2)], "lidar scans")
    assert len(shown) == len(PUBLISHED)
    for table, paper in zip(shown, PUBLISHED, strict=True):
        assert paper.source in table.title
        assert [row[0] for row in table.rows] == [*(row.method for row in paper.rows), "ours: a"]
        assert {len(row) for row in table.rows} == {len(table.headings)}
    assert shown[0].rows[-1][:5] == ("ours: a", "-", "640x192", "lidar scans", "0.100")


def test_the_papers_rows_are_metrics():
    rows = [row for table in PUBLISHED for row in table.rows]
    assert len(rows) == 17 + 8 + 13
    for row in rows:
        assert row.metrics.a1 < row.metrics.a2 < row.metrics.a3 < 1
        assert row.metrics.abs_rel < row.metrics.rmse_log < row.metrics.sq_rel < row.metrics.rmse
    best = min(rows, key=lambda row: row.metrics.abs_rel)
    assert best.method == "Semantic guidance HR"
    assert best.metrics == DepthMetrics(0.100, 0.761, 4.270, 0.175, 0.902, 0.965, 0.982)


def test_what_differs_from_the_papers_is_said():
    few, all_images = [evaluated("a", 1.2)], [evaluated("a", 1.2, images=697)]
    assert tables.comparability(all_images, CONFIG, "lidar scans").startswith("same protocol")
    says = tables.comparability(few, EvaluationConfig(crop="none", median_scaling=False), "depth pictures")
    assert "1 images instead of 697" in says
    assert "depth pictures instead of lidar scans" in says
    assert "crop none" in says
    assert "median_scaling False" in says


def test_notes_say_how_it_was_measured():
    lines = notes([evaluated("a", 1.2), evaluated("b", 1.4)], EvaluationConfig(flip_post_processing=True))
    assert "mean over 1 images" in lines[0]
    assert "flip post-processing" in lines[0]
    assert lines[1] == "class average: 2 classes, over all pixels of a class, 1 images with labels"
    assert lines[2].endswith("(a)")
    assert len(notes([evaluated("a", 1.2, labelled=False)], CONFIG)) == 2
