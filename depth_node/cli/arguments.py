# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Command-line flags made from configuration dataclasses, so that a default is never written twice."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from depth_node.cli.command_parser import CommandParser
from depth_node.config.setting import NamedSetting, build, settings

Config = TypeVar("Config")
NOTHING: Mapping[str, Any] = MappingProxyType({})
KINDS = {int: "a whole number", float: "a number", bool: "on or off", str: "text"}


class YesNo(argparse.Action):
    """`--NAME` sets True, `--no_NAME` False."""

    def __init__(self, option_strings: Sequence[str], dest: str, default: bool = False, help: str = "") -> None:
        flags = [*option_strings, *("--no_" + flag.removeprefix("--") for flag in option_strings)]
        super().__init__(flags, dest, nargs=0, default=default, help=help)

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002
        namespace: argparse.Namespace,
        values: object,  # noqa: ARG002
        option_string: str | None = None,
    ) -> None:
        """Set what the flag says."""
        setattr(namespace, self.dest, not str(option_string).startswith("--no_"))


def one_of(choices: Collection[str]) -> Callable[[str], str]:
    """An argument's type: one of `choices`."""

    def read(text: str) -> str:
        if text not in choices:
            raise argparse.ArgumentTypeError(f"takes one of {', '.join(choices)}, not '{text}'")
        return text

    return read


def of_kind(kind: type) -> Callable[[str], Any]:
    """An argument's type: a value of `kind`."""

    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"takes {KINDS[kind]}, not '{text}'") from None

    return read


def add_settings(
    parser: CommandParser,
    config: type,
    prefix: str = "",
    leave_out: Collection[str] = (),
    follow: Mapping[str, str] = NOTHING,
) -> None:
    """Add one flag per setting of `config`.

    Args:
        parser: where to.
        config: the configuration class.
        prefix: groups the flags under a dotted name ('network.').
        leave_out: settings that the command decides itself.
        follow: settings without a fixed default, each with what it follows where it is not given ("the teacher's").
    """
    group = parser.add_argument_group((config.__doc__ or config.__name__).splitlines()[0].rstrip("."))
    for named in settings(config):
        dotted = prefix + named.name
        if named.name in leave_out:
            parser.decided.add(dotted)
            continue
        parser.settings[dotted] = named
        default = None if named.name in follow else named.default
        about: dict[str, Any] = {"dest": dotted, "default": default, "help": _help(named, follow.get(named.name))}
        if named.type is bool:
            group.add_argument("--" + dotted, action=YesNo, **about)
            continue
        choices = named.about.choices
        about["metavar"] = f"{{{','.join(choices)}}}" if choices else dotted.rpartition(".")[2].upper()
        group.add_argument("--" + dotted, type=one_of(choices) if choices else of_kind(named.type), **about)


def read_settings(
    args: argparse.Namespace, config: type[Config], prefix: str = "", otherwise: Mapping[str, Any] = NOTHING
) -> Config:
    """Build `config` from parsed arguments and, where there is none, from `otherwise`; raises ConfigError."""
    given = {named.name: getattr(args, prefix + named.name, None) for named in settings(config)}
    return build(config, {**otherwise, **{name: value for name, value in given.items() if value is not None}})


def _help(named: NamedSetting, followed: str | None) -> str:
    """What a setting means, its bounds, kind and default; its choices the parser lists itself."""
    about = named.about.help if named.about.choices else named.about.describe()
    default = followed or ({True: "on", False: "off"}[named.default] if named.type is bool else named.default)
    notes = [] if named.about.choices or named.type is bool else [KINDS[named.type]]
    notes += [f"default: {default}"] if default != "" else []
    return f"{about} [{'; '.join(notes)}]".replace("%", "%%")
