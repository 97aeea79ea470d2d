# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder node as a program: parameters in, a sequence folder out."""

import pytest

from depth_node.kitti.search import find_sequences


def recorder(start, *parameters):
    arguments = [word for parameter in parameters for word in ("-p", parameter)]
    return start("depth_node.ros.main", "recorder_node", "--ros-args", *arguments)


def test_bags_become_a_sequence(start, make_bag, tmp_path):
    bags = [make_bag("one"), make_bag("two", frames=4)]
    output = tmp_path / "sequence"
    program = recorder(start, f"bags:=[{bags[0]}, {bags[1]}]", f"output:={output}", "workers:=1")
    assert program.wait() == 0, program.output
    assert "6 frames" in program.output
    assert len(find_sequences(output)) == 2


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([], "'bags' and 'output' must be given"),
        (["bags:=[/nowhere]", "output:={output}"], "/nowhere does not exist"),
        (["bag:=[/nowhere]", "output:={output}"], "unknown parameter 'bag': did you mean 'bags'"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(start, tmp_path, parameters, words):
    output = tmp_path / "sequence"
    program = recorder(start, *(parameter.format(output=output) for parameter in parameters))
    assert program.wait() == 1
    assert len(program.lines) == 1, program.output
    assert words in program.output
    assert not output.exists()
