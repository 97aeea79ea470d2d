# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of topics and parameters in the documents, made from what the nodes themselves use.

`python test/interface_tables.py` puts them between their markers in README.md and docs/interface.md; a test fails where
code and documents differ, and another where the list of topics and a running node do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_srvs.srv import SetBool

from depth_node.config.live import NodeConfig
from depth_node.config.recorder import RecorderNodeConfig
from depth_node.config.setting import NamedSetting, settings
from depth_node.ros.live.topic_list import (
    INPUTS,
    LATCHED_TOPICS,
    SCALE_INPUTS,
    SEMANTIC_TOPICS,
    TOPICS,
    TRANSFORM_INPUTS,
    Input,
    Output,
)
from depth_node.ros.qos import INPUT_DEPTH

ROOT = Path(__file__).parents[1]
MARKED = re.compile(r"(<!-- (?P<table>[\w ]+), made by test/interface_tables\.py -->\n).*?(?=<!-- end -->)", re.DOTALL)

DIAGNOSTICS = Output(
    DiagnosticArray,
    "rate, latency p50/p95/p99, drops by reason, model, memory; scale, its source, spread and age; flicker",
    lambda: QoSProfile(depth=10),
    "always",
)
SOMETIMES: dict[str, Output] = SEMANTIC_TOPICS | LATCHED_TOPICS
ALL_OUTPUTS: dict[str, Output] = TOPICS | SOMETIMES | {"/diagnostics": DIAGNOSTICS}
RECORDER_DIAGNOSTICS = Output(
    DiagnosticArray, "pictures done and in all, rate, drops by reason", lambda: QoSProfile(depth=10), "always"
)
SERVICES = {"~/enable": (SetBool, "false: stay active, but make nothing; true: go on with the next image")}


def inputs() -> dict[str, Input]:
    """Every topic that the live node subscribes to."""
    return INPUTS | dict(SCALE_INPUTS.values()) | TRANSFORM_INPUTS


def type_name(kind: type | str) -> str:
    """'package/Type' of a message class."""
    return kind if isinstance(kind, str) else f"{kind.__module__.partition('.')[0]}/{kind.__name__}"


def offered(profile: QoSProfile) -> str:
    """A quality of service for people."""
    latched = ", transient local" if profile.durability == DurabilityPolicy.TRANSIENT_LOCAL else ""
    reliable = "best effort" if profile.reliability == ReliabilityPolicy.BEST_EFFORT else "reliable"
    return f"{reliable}{latched}, keep {profile.depth}"


def asked(about: Input) -> str:
    """The quality of service of a subscription, for people: it follows the publishers."""
    return f"as offered{', latched too' if about.may_latch else ''}, keep {INPUT_DEPTH}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def published(outputs: dict[str, Output]) -> str:
    """Topics with type, quality of service, presence and meaning."""
    rows = (
        (f"`{name}`", type_name(about.kind), offered(about.profile()), about.when or "configured", about.meaning)
        for name, about in outputs.items()
    )
    return table(("publishes", "type", "quality of service", "there when", "what it says"), rows)


def subscribed() -> str:
    """Topics that the live node listens to."""
    rows = (
        (f"`{name}`", type_name(about.kind), asked(about), about.when, about.meaning)
        for name, about in inputs().items()
    )
    return table(("subscribes", "type", "quality of service", "there when", "what it says"), rows)


def services() -> str:
    """Services of the live node beside those of every lifecycle node."""
    rows = ((f"`{name}`", type_name(kind), meaning) for name, (kind, meaning) in SERVICES.items())
    return table(("service", "type", "does"), rows)


def in_short() -> str:
    """Both directions with type and meaning alone, for the README."""
    heard = ((f"`{name}`", short(about.kind), about.meaning) for name, about in inputs().items())
    said = (
        (f"`{name}`", short(about.kind), about.meaning + (f" ({about.when})" if name in SOMETIMES else ""))
        for name, about in ALL_OUTPUTS.items()
    )
    return (
        table(("subscribes", "type", "what it says"), heard) + "\n" + table(("publishes", "type", "what it says"), said)
    )


def short(kind: type | str) -> str:
    """The type without its package."""
    return type_name(kind).rpartition("/")[2]


def parameters(config: type) -> str:
    """Every parameter of a node."""
    rows = (
        (f"`{named.name}`", f"`{literal(named.default)}`", bounds(named), "yes" if named.about.live else "no", meaning)
        for named in settings(config)
        for meaning in [named.about.help]
    )
    return table(("parameter", "default", "values", "while running", "meaning"), rows)


def literal(value: Any) -> str:
    """A default as YAML takes it."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def bounds(named: NamedSetting) -> str:
    """Choices, or type, range and unit."""
    about = named.about
    if about.choices:
        return ", ".join(f"`{choice}`" for choice in about.choices)
    low, high = about.low, about.high
    both = f"{low:g} to {high:g}" if low is not None and high is not None else ""
    one = f"at least {low:g}" if low is not None else f"at most {high:g}" if high is not None else ""
    kind = {bool: "true, false", str: "text", int: "whole number", float: "number"}.get(named.type, "list")
    return f"{both or one or kind} {about.unit}".strip()


TABLES: dict[str, Callable[[], str]] = {
    "topics in short": in_short,
    "subscriptions": subscribed,
    "publications": lambda: published(ALL_OUTPUTS),
    "services": services,
    "live parameters": lambda: parameters(NodeConfig),
    "recorder topics": lambda: published({"/diagnostics": RECORDER_DIAGNOSTICS}),
    "recorder parameters": lambda: parameters(RecorderNodeConfig),
}
DOCUMENTS = ("README.md", "docs/interface.md")


def renewed(text: str) -> str:
    """A document with every marked table made anew."""
    return MARKED.sub(lambda found: found.group(1) + TABLES[found.group("table")](), text)


if __name__ == "__main__":
    for name in DOCUMENTS:
        path = ROOT / name
        path.write_text(renewed(path.read_text()))
        print(f"wrote {path}")
