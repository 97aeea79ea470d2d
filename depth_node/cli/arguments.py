# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Command-line flags made from configuration dataclasses, so that a default is never written twice."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Literal, Optional, TypeVar

from jsonargparse import ActionYesNo, ArgumentParser, DefaultHelpFormatter, Namespace

from depth_node.cli.command_parser import CommandParser
from depth_node.config.setting import build, settings

Config = TypeVar("Config")
NOTHING: Mapping[str, Any] = MappingProxyType({})


class HelpFormatter(DefaultHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the line breaks of a command's description, examples above all."""


def make_parser(name: str, description: str) -> CommandParser:
    """An empty parser for `depth NAME`."""
    return CommandParser(prog=f"depth {name}", description=description, formatter_class=HelpFormatter)


def add_settings(
    parser: ArgumentParser,
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
        flag, dotted = "--" + prefix + named.name, prefix + named.name
        if isinstance(parser, CommandParser):
            (parser.decided.add(dotted) if named.name in leave_out else parser.settings.update({dotted: named}))
        if named.name in leave_out:
            continue
        about: dict[str, Any] = {"dest": dotted, "default": named.default, "help": named.about.describe()}
        if named.type is bool:
            group.add_argument(flag, action=ActionYesNo(no_prefix="no_"), **{k: about[k] for k in ("default", "help")})
            continue
        # The parser lists the choices itself.
        kind: Any = Literal[named.about.choices] if named.about.choices else named.type
        about["help"] = named.about.help if named.about.choices else about["help"]
        if named.name in follow:
            kind = Optional[kind]  # noqa: UP045
            about |= {"default": None, "help": f"{about['help']}; default: {follow[named.name]}"}
        group.add_argument(flag, type=kind, **about)


def read_settings(
    args: Namespace, config: type[Config], prefix: str = "", otherwise: Mapping[str, Any] = NOTHING
) -> Config:
    """Build `config` from parsed arguments and, where there is none, from `otherwise`; raises ConfigError."""
    given = {named.name: args.get(prefix + named.name) for named in settings(config)}
    return build(config, {**otherwise, **{name: value for name, value in given.items() if value is not None}})
