# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a run says of itself at its end."""

from __future__ import annotations

import pytest

from depth_node.training.run.metrics_file import METRICS_FILE, read_metrics, summarise

HEAD = "step,stage,photometric,identity,distillation\n"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            ["2,train,0.2,0.25,0", "4,val,0.3,0.4,0", "8,val,0.1,0.4,0"],
            "val photometric error 0.3000 -> 0.1000: 75% below",
        ),
        (["2,train,0.5,0.4,0"], "train photometric error 0.5000 -> 0.5000: 25% ABOVE the no-motion baseline of 0.4000"),
        (["2,val,0.3,0.4,0"], "val photometric error 0.3000"),  # shorter than --log_every
        (
            ["2,train,0,0,0.9", "4,val,0.3,0.4,0.8", "8,val,0.3,0.4,0.6"],
            "val difference to the teacher 0.8000 -> 0.6000",
        ),
        ([], "no metrics were logged"),
        (["2,train,0.2,1e-10,0"], "train photometric error 0.2000 -> 0.2000, but neighbouring frames hardly differ"),
        (["2,train,0,0,0", "4,val,0,0,0"], "val photometric error 0.0000 -> 0.0000, but neighbouring frames hardly"),
    ],
)
def test_the_summary_of_a_run(tmp_path, lines, says):
    (tmp_path / METRICS_FILE).write_text(HEAD + "".join(f"{line}\n" for line in lines))
    assert summarise(tmp_path).startswith(says)


def test_half_lines_do_not_count(tmp_path):
    (tmp_path / METRICS_FILE).write_bytes(HEAD.encode() + b"2,train,0.2,0.25,0\n" + bytes(50))
    assert [row["step"] for row in read_metrics(tmp_path)] == ["2"]
