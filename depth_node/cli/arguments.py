"""Command-line flags made from configuration dataclasses, so that a default is never written twice."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any, Literal, TypeVar

from jsonargparse import ActionYesNo, ArgumentParser, DefaultHelpFormatter, Namespace

from depth_node.config.setting import build, settings

Config = TypeVar("Config")


class HelpFormatter(DefaultHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the line breaks of a command's description, examples above all."""


def make_parser(name: str, description: str) -> ArgumentParser:
    """An empty parser for `depth NAME`."""
    return ArgumentParser(prog=f"depth {name}", description=description, formatter_class=HelpFormatter)


def add_settings(parser: ArgumentParser, config: type, prefix: str = "") -> None:
    """Add one flag per setting of `config`; `prefix` ('network.') groups them under a dotted name."""
    group = parser.add_argument_group((config.__doc__ or config.__name__).splitlines()[0].rstrip("."))
    for named in settings(config):
        flag, dotted = "--" + prefix + named.name, prefix + named.name
        about: dict[str, Any] = {"dest": dotted, "default": named.default, "help": named.about.describe()}
        if named.type is bool:
            group.add_argument(flag, action=ActionYesNo(no_prefix="no_"), **{k: about[k] for k in ("default", "help")})
        elif named.about.choices:
            # The parser lists the choices itself.
            group.add_argument(flag, type=Literal[named.about.choices], **about | {"help": named.about.help})
        else:
            group.add_argument(flag, type=named.type, **about)


def read_settings(args: Namespace, config: type[Config], prefix: str = "") -> Config:
    """Build `config` from parsed arguments; raises ConfigError."""
    flat = {named.name: args[prefix + named.name] for named in settings(config)}
    return build(config, flat)
