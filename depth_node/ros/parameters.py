# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""ROS parameters from configuration dataclasses: declared with descriptors, checked on every change, read back.

ROS ignores an override whose parameter is never declared, and raises out of the constructor where a type is wrong.
Here both become one line, which the configure step reports.
"""

from __future__ import annotations

import dataclasses
import difflib
import sys
from array import array
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from depth_node.config.setting import NamedSetting, build, coerce, settings
from depth_node.errors import ConfigError

Config = TypeVar("Config")
LARGEST_INTEGER = 2**63 - 1


def descriptor(named: NamedSetting) -> ParameterDescriptor:
    """What `ros2 param describe` shows of a setting: help, unit, range, choices."""
    about = named.about
    made = ParameterDescriptor(description=about.describe())
    # `ros2 param set ... 50` sends a whole number, which would be refused for its type before anybody could take it.
    made.dynamic_typing = named.type is float
    made.additional_constraints = f"one of {', '.join(about.choices)}" if about.choices else ""
    if about.low is None and about.high is None:
        return made
    if named.type is float:
        low = -sys.float_info.max if about.low is None else float(about.low)
        high = sys.float_info.max if about.high is None else float(about.high)
        made.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    elif named.type is int:
        low = -LARGEST_INTEGER if about.low is None else int(about.low)
        high = LARGEST_INTEGER if about.high is None else int(about.high)
        made.integer_range = [IntegerRange(from_value=low, to_value=high)]
    return made


class NodeParameters(Generic[Config]):
    """The parameters of one node, all from one configuration class.

    Attributes:
        parts: the configuration of each part of the node, such as one of its cameras; a parameter that is given with
            the part's name before it, such as 'front.depth.max', holds for that part alone.
    """

    def __init__(
        self,
        node: Node,
        config: type[Config],
        locked: Callable[[], bool],
        on_change: Callable[[Config], None],
    ) -> None:
        """Declare every setting, taking over what command line and parameter files give.

        Args:
            node: the node that gets the parameters.
            config: dataclass of settings.
            locked: tells whether settings that are not live must keep their value now.
            on_change: receives the new configuration after an accepted change.
        """
        self._node, self._config, self._locked, self._on_change = node, config, locked, on_change
        self._known = {named.name: named for named in settings(config)}
        self._parts: dict[str, dict[str, NamedSetting]] = {}
        self.parts: dict[str, Config] = {}
        self._refused: dict[str, str] = {}
        # Private to rclpy, but the only way to see overrides that nobody declared.
        self._given: dict[str, Parameter[Any]] = node._parameter_overrides
        for named in self._known.values():
            node.declare_parameter(named.name, self._initial(named), descriptor(named), ignore_override=True)
        node.add_on_set_parameters_callback(self._check)

    def read(
        self,
        other_names: Callable[[Config], Iterable[str]] = lambda _: (),
        parts: Callable[[Config], Iterable[str]] = lambda _: (),
        undivided: Collection[str] = (),
    ) -> Config:
        """The configuration as it stands.

        Args:
            other_names: gives further parameter names that are no mistake (`qos_overrides...`).
            parts: gives the names of the node's parts.
            undivided: settings that no part has to itself.

        Raises:
            ConfigError: an override is unknown, of the wrong type or out of bounds, or values contradict each other.
        """
        for line in self._refused.values():
            raise ConfigError(line)
        config = build(self._config, self._values())
        self._parts = {part: self._declare_part(part, undivided) for part in parts(config)}
        self.parts = self._build_parts()
        self._refuse_unknown(set(other_names(config)))
        return config

    def _declare_part(self, part: str, undivided: Collection[str]) -> dict[str, NamedSetting]:
        """Declare the settings that are given for one part; returns them by the name with the part before it."""
        found: dict[str, NamedSetting] = {}
        for setting in self._known.values():
            named = dataclasses.replace(setting, name=f"{part}.{setting.name}")
            if named.name in self._given:
                if setting.name in undivided:
                    raise ConfigError(f"parameter '{named.name}': all share one '{setting.name}', set that")
                found[named.name] = setting
                if not self._node.has_parameter(named.name):
                    value = _ros_value(coerce(named, _plain(self._given[named.name].value)))
                    self._node.declare_parameter(named.name, value, descriptor(named), ignore_override=True)
        return found

    def _build_parts(self, changes: Sequence[Parameter[Any]] = ()) -> dict[str, Config]:
        """The configuration of each part, with changes that are asked for."""
        common, changed = self._values(changes), {change.name: _plain(change.value) for change in changes}
        built = {}
        for part, own in self._parts.items():
            now = {name: _plain(self._node.get_parameter(name).value) for name in own} | changed
            try:
                built[part] = build(self._config, common | {setting.name: now[name] for name, setting in own.items()})
            except ConfigError as error:
                raise ConfigError(f"'{part}': {error}") from None
        return built

    def _setting(self, name: str) -> NamedSetting | None:
        """What a parameter sets, of the node or of a part."""
        return ({**self._known} | {key: own for part in self._parts.values() for key, own in part.items()}).get(name)

    def _initial(self, named: NamedSetting) -> Any:
        """The override of a setting, or its default where there is none or it cannot be used."""
        if named.name in self._given:
            try:
                return _ros_value(coerce(named, _plain(self._given[named.name].value)))
            except ConfigError as error:
                self._refused[named.name] = str(error)
        return _ros_value(named.default)

    def _refuse_unknown(self, allowed: set[str]) -> None:
        for name in self._given:
            if not self._node.has_parameter(name) and name not in allowed:
                near = difflib.get_close_matches(name, allowed, n=1) if name.startswith("qos_overrides.") else []
                if near:
                    raise ConfigError(f"unknown parameter '{name}': did you mean '{near[0]}'?")
                build(self._config, {name: self._given[name].value})

    def _values(self, changes: Sequence[Parameter[Any]] = ()) -> dict[str, Any]:
        values = {name: _plain(self._node.get_parameter(name).value) for name in self._known}
        values.update({change.name: _plain(change.value) for change in changes if change.name in self._known})
        return values

    def _check(self, changes: list[Parameter[Any]]) -> SetParametersResult:
        """Decide over a change asked for at run time."""
        ours = [change for change in changes if self._setting(change.name)]
        if not ours:
            return SetParametersResult(successful=True)
        try:
            config, parts = build(self._config, self._values(ours)), self._build_parts(ours)
            self._refuse_locked(ours)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        for change in ours:
            self._refused.pop(change.name, None)
        self.parts = parts
        self._on_change(config)
        return SetParametersResult(successful=True)

    def _refuse_locked(self, changes: list[Parameter[Any]]) -> None:
        for change in changes:
            current, named = self._node.get_parameter(change.name).value, self._setting(change.name)
            is_live = named is not None and named.about.live
            if self._locked() and not is_live and _plain(change.value) != _plain(current):
                raise ConfigError(
                    f"parameter '{change.name}' cannot change while the node is configured: "
                    "deactivate and clean up first"
                )


def _plain(value: Any) -> Any:
    """ROS hands out number lists as arrays."""
    return tuple(value) if isinstance(value, (list, array)) else value


def _ros_value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
