# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a ROS parameter file from a configuration class, so that YAML and code cannot differ.

`python -m depth_node.config.parameter_file` renews the files in config/; a test compares them with the code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from depth_node.config.live import NodeConfig
from depth_node.config.recorder import RecorderNodeConfig
from depth_node.config.setting import NamedSetting, settings


def parameter_file(config: type, title: str) -> str:
    """The text of a parameter file with every setting of `config` at its default, each explained.

    The root key is `/**`: with a section named after a node, a later `-p name:=value` can lose against the file.

    Args:
        config: dataclass of settings, nested ones give dotted names.
        title: first line, a comment.
    """
    lines = [f"# {title}", "# Every parameter with its default; [live] ones may change while the node runs.", "/**:"]
    lines.append("  ros__parameters:")
    group: list[str] = []
    for named in settings(config):
        *parents, name = named.name.split(".")
        for depth, parent in enumerate(parents):
            if group[: depth + 1] != parents[: depth + 1]:
                lines.append("  " * (depth + 2) + f"{parent}:")
        group = parents
        indent = "  " * (len(parents) + 2)
        lines.append(f"{indent}# {_comment(named)}")
        lines.append(f"{indent}{name}: {_literal(named.default)}")
    return "\n".join(lines) + "\n"


def _comment(named: NamedSetting) -> str:
    return ("[live] " if named.about.live else "") + named.about.describe()


def _literal(value: Any) -> str:
    """YAML that ROS reads with the right type: strings quoted, doubles with a point, lists never empty."""
    if isinstance(value, float):
        text = f"{value:.10g}"
        return text if "." in text else text.replace("e", ".0e") if "e" in text else text + ".0"
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def files() -> dict[str, str]:
    """Name and text of every file in config/ that is made here."""
    return {
        "depth.yaml": parameter_file(NodeConfig, "The live node: ros2 run depth_node depth_node"),
        "recorder.yaml": parameter_file(RecorderNodeConfig, "The recorder: ros2 run depth_node recorder_node"),
    }


if __name__ == "__main__":
    folder = Path(__file__).parents[2] / "config"
    folder.mkdir(exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text)
        print(f"wrote {folder / name}")
