# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Turns what the argument parser complains about into one line that says what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

UNKNOWN = "unrecognized arguments: "
MISSING = "the following arguments are required: "
VALUE = re.compile(r'Parser key "(?P<key>[^"]+)":\s*Expected a (?P<kind>.+?)\. Got value: (?P<value>.*)', re.DOTALL)
KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}


def explain(message: str, flags: Collection[str]) -> str:
    """The complaint `message` on one line, with the nearest of the known `flags` for one that is misspelt."""
    text = " ".join(message.split())
    if text.startswith(UNKNOWN):
        return _unknown(text.removeprefix(UNKNOWN).split(), flags)
    if text.startswith(MISSING):
        return "needs " + ", ".join(_as_flag(name, flags) for name in text.removeprefix(MISSING).split(", "))
    value = VALUE.match(message)
    if value is None:
        return text
    return f"--{value['key']} takes {_kind(value['kind'])}, not '{' '.join(value['value'].split())}'"


def _unknown(arguments: list[str], flags: Collection[str]) -> str:
    wrong = next((argument for argument in arguments if argument.startswith("-")), None)
    if wrong is None:
        return f"cannot place {' '.join(arguments)}: values follow the flag that they belong to"
    name = wrong.partition("=")[0]
    near = difflib.get_close_matches(name, flags, n=1)
    return f"unknown flag {name}" + (f": did you mean {near[0]}?" if near else "")


def _as_flag(name: str, flags: Collection[str]) -> str:
    return f"--{name}" if f"--{name}" in flags else name.upper()


def _kind(expected: str) -> str:
    if "Literal[" in expected:
        choices = expected[expected.index("Literal[") + len("Literal[") :].partition("]")[0]
        return "one of " + choices.replace("'", "")
    name = next((name for name in KINDS if re.search(rf"\b{name}\b", expected)), None)
    return KINDS[name] if name else expected
