# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The parser of a command: flags, and files with settings that flags override."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, Namespace

from depth_node.cli.wrong_usage import explain
from depth_node.config.recipes import describe_recipes, read_settings_file
from depth_node.config.setting import NamedSetting, coerce
from depth_node.errors import ConfigError
from depth_node.training.run.earlier_run import SETTINGS_FILE

FILE_FLAG = "--config"


class CommandParser(ArgumentParser):
    """Reads the files of `--config` before the command line, whatever the order in which they are given.

    Attributes:
        settings: what a file may set, by dotted name.
        decided: settings that the command decides itself; a file's are passed over.
        shortened: of those, the ones that it has a flag of another name for, with the flag's value for a setting's.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A shortened flag would be read here but not among the files below.
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})
        self.settings: dict[str, NamedSetting] = {}
        self.decided: set[str] = set()
        self.shortened: dict[str, tuple[str, Callable[[Any], Any]]] = {}
        self._reads_files = False
        self._goes_on = False

    def add_settings_file(self, with_recipes: bool = False) -> None:
        """Add `--config`, for files and, where wanted, for the recipes of the papers by name."""
        what = "recipe (see the end of this help) or YAML file" if with_recipes else "YAML file"
        about = f"{what} with any of the settings below; flags override it, of several files the last one counts"
        self.add_argument(FILE_FLAG, action="append", default=None, help=about)
        self._reads_files = True
        if with_recipes:
            self.epilog = f"recipes for {FILE_FLAG}:\n{describe_recipes()}"

    def add_resume_flags(self, for_queues: bool = True) -> None:
        """Add `--resume` and, where wanted, `--resume_if_exists`: a run's own settings are then what is not given."""
        about = "go on from the last save of --output, with the settings of its config.yaml where none are given"
        self.add_argument("--resume", action="store_true", help=about)
        if for_queues:
            about = "go on where --output has a save, else start: for job queues"
            self.add_argument("--resume_if_exists", action="store_true", help=about)
        self._goes_on = True

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, *more: Any, **how: Any
    ) -> Namespace:
        """Parse; raises ConfigError for a file that is wrong."""
        given = list(sys.argv[1:] if args is None else args)
        own, files = self._files(given)
        if own:
            self.set_defaults(self._of_run(own, given))
        for source in files:
            self.set_defaults(self._checked(source))
        return super().parse_args(args, *more, **how)

    def _of_run(self, own: str, args: Sequence[str]) -> dict[str, Any]:
        """The settings of a run that goes on."""
        checked, names = self._checked(own), {word.partition("=")[0] for word in args}
        if "--epochs" in names and "--steps" not in names:
            checked.pop("steps", None)  # it would win
        for name, value in read_settings_file(own).items():
            if name in self.shortened:
                flag, translate = self.shortened[name]
                checked[flag] = translate(value)
        for action in self._actions:
            action.required = action.required and action.dest not in checked
        return checked

    def _files(self, args: Sequence[str]) -> tuple[str, list[str]]:
        """What is read before the flags: the settings of a run that goes on ('' for none), then those of --config."""
        first = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
        first.add_argument(FILE_FLAG, action="append", default=[])
        first.add_argument("--output")
        for flag in ("--resume", "--resume_if_exists"):
            first.add_argument(flag, action="store_true")
        try:
            given = first.parse_known_args(args)[0]
        except argparse.ArgumentError:
            return "", []  # the parser itself says what is wrong
        goes_on = self._goes_on and given.output and (given.resume or given.resume_if_exists)
        own = Path(given.output) / SETTINGS_FILE if goes_on else None
        return str(own) if own and own.is_file() else "", given.config if self._reads_files else []

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
