"""The parser of a command: flags, and files with settings that flags override."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, Namespace

from depth_node.cli.wrong_usage import explain
from depth_node.config.recipes import describe_recipes, read_settings_file
from depth_node.config.setting import NamedSetting, coerce
from depth_node.errors import ConfigError

FILE_FLAG = "--config"


class CommandParser(ArgumentParser):
    """Reads the files of `--config` before the command line, whatever the order in which they are given.

    Attributes:
        settings: what a file may set, by dotted name.
        decided: settings that the command decides itself; a file's are passed over.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settings: dict[str, NamedSetting] = {}
        self.decided: set[str] = set()
        self._reads_files = False

    def add_settings_file(self, with_recipes: bool = False) -> None:
        """Add `--config`, for files and, where wanted, for the recipes of the papers by name."""
        what = "recipe (see the end of this help) or YAML file" if with_recipes else "YAML file"
        about = f"{what} with any of the settings below; flags override it, of several files the last one counts"
        self.add_argument(FILE_FLAG, action="append", default=None, help=about)
        self._reads_files = True
        if with_recipes:
            self.epilog = f"recipes for {FILE_FLAG}:\n{describe_recipes()}"

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, *more: Any, **how: Any
    ) -> Namespace:
        """Parse; raises ConfigError for a file that is wrong."""
        if self._reads_files:
            files = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
            files.add_argument(FILE_FLAG, action="append", default=[])
            for source in files.parse_known_args(sys.argv[1:] if args is None else args)[0].config:
                self.set_defaults(self._checked(source))
        return super().parse_args(args, *more, **how)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:  # noqa: ARG002
        """Leave with status 2 and one line, instead of a list of all flags that hides what is wrong."""
        line = explain(message, self._option_string_actions)
        self.exit(2, f"{self.prog}: {line} (`{self.prog} --help` lists all flags)\n")

    def _checked(self, source: str) -> dict[str, Any]:
        plain = [name for name in self.get_defaults().as_dict() if name not in self.settings]
        checked = {}
        for name, value in read_settings_file(source).items():
            if name in self.settings:
                try:
                    checked[name] = coerce(dataclasses.replace(self.settings[name], name=name), value)
                except ConfigError as error:
                    raise ConfigError(f"{source}: {error}") from None
            elif name in plain:
                checked[name] = value
            elif name not in self.decided:
                near = difflib.get_close_matches(name, [*self.settings, *plain], n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"`{self.prog} --help` lists all"
                raise ConfigError(f"{source}: unknown setting '{name}': {hint}")
        return checked
