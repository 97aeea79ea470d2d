# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One place per default: dataclass fields that carry unit, bounds and help.

ROS parameters, YAML files and command-line flags are all read from this metadata. A configuration is a
frozen dataclass whose fields are made by `setting`, or are themselves such dataclasses (nested, dotted names).
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from depth_node.errors import ConfigError

Config = TypeVar("Config")


@dataclass(frozen=True)
class Setting:
    """Everything about one setting except its value."""

    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    def describe(self) -> str:
        """The help line with unit, range or choices appended."""
        notes = []
        if self.choices:
            notes.append("one of " + ", ".join(self.choices))
        elif self.low is not None and self.high is not None:
            notes.append(f"{self.low:g} to {self.high:g}")
        elif self.low is not None:
            notes.append(f"at least {self.low:g}")
        elif self.high is not None:
            notes.append(f"at most {self.high:g}")
        if self.unit:
            notes.append(f"in {self.unit}")
        return f"{self.help} ({', '.join(notes)})" if notes else self.help


@dataclass(frozen=True)
class NamedSetting:
    """A setting with its dotted name, Python type and default, as found in a configuration class."""

    name: str
    type: type
    default: Any
    about: Setting


def setting(default: Any, help: str, **about: Any) -> Any:
    """A dataclass field with metadata; `about` takes unit, low, high, choices and live (see `Setting`)."""
    return dataclasses.field(default=default, metadata={"about": Setting(help, **about)})


def settings(config: type, prefix: str = "") -> Iterator[NamedSetting]:
    """All settings of a configuration class in declaration order, nested ones with dotted names."""
    hints = get_type_hints(config)
    for field in dataclasses.fields(config):
        name = prefix + field.name
        if dataclasses.is_dataclass(hints[field.name]):
            yield from settings(hints[field.name], prefix=name + ".")
        else:
            yield NamedSetting(name, hints[field.name], field.default, field.metadata["about"])


def values(config: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted name to value of a configuration object."""
    flat: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            flat.update(values(value, prefix + field.name + "."))
        else:
            flat[prefix + field.name] = value
    return flat


def build(config: type[Config], given: Mapping[str, Any]) -> Config:
    """Make a configuration from dotted names.

    Raises:
        ConfigError: a name is unknown (the nearest valid one is named), or a value has the wrong type
            or is out of bounds.
    """
    known = {named.name: named for named in settings(config)}
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(known)}"
            raise ConfigError(f"unknown parameter '{name}': {hint}")
    checked = {name: coerce(known[name], value) for name, value in given.items()}
    return _nest(config, checked)


def coerce(named: NamedSetting, value: Any) -> Any:
    """Bring a value to its setting's type and check its bounds; raises ConfigError."""
    about = named.about
    try:
        if named.type is bool:
            if not isinstance(value, bool):
                raise ValueError
        elif named.type in (int, float):
            if isinstance(value, bool):
                raise ValueError
            number = float(value)
            if named.type is int and number != int(number):
                raise ValueError
            value = named.type(number)
        elif named.type is str and not isinstance(value, str):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(
            f"parameter '{named.name}' is {value!r} but must be of type {named.type.__name__}: {about.describe()}"
        ) from None
    _check_bounds(named, value)
    return value


def _check_bounds(named: NamedSetting, value: Any) -> None:
    about = named.about
    if about.choices and value not in about.choices:
        raise ConfigError(f"parameter '{named.name}' is {value!r} but must be one of {', '.join(about.choices)}")
    if isinstance(value, float) and math.isnan(value):
        raise ConfigError(f"parameter '{named.name}' is not a number")
    too_low = about.low is not None and value < about.low
    too_high = about.high is not None and value > about.high
    if too_low or too_high:
        raise ConfigError(f"parameter '{named.name}' is {value!r}, out of bounds: {about.describe()}")


def _nest(config: type[Config], given: Mapping[str, Any]) -> Config:
    hints = get_type_hints(config)
    arguments: dict[str, Any] = {}
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        if dataclasses.is_dataclass(hints[field.name]):
            inner = {k.split(".", 1)[1]: v for k, v in given.items() if k.startswith(field.name + ".")}
            arguments[field.name] = _nest(hints[field.name], inner)  # type: ignore[arg-type]
        elif field.name in given:
            arguments[field.name] = given[field.name]
    return config(**arguments)


class Validated:
    """Mix-in: a configuration that checks its own values on construction."""

    def __post_init__(self) -> None:
        """Check type and bounds of every field; raises ConfigError."""
        for named in settings(type(self)):
            if "." not in named.name:
                object.__setattr__(self, named.name, coerce(named, getattr(self, named.name)))


def without_folders(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings to travel with weights: of a path only the last part, for folders tell others about one's machine."""
    return {
        name: value.replace("\\", "/").rstrip("/").rpartition("/")[2] if isinstance(value, str) else value
        for name, value in settings.items()
    }
