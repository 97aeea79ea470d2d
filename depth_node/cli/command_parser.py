# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The parser of a command: flags, and files with settings that flags override."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from depth_node.config.recipes import describe_recipes, read_settings_file
from depth_node.config.setting import NamedSetting, coerce
from depth_node.errors import ConfigError
from depth_node.training.run.earlier_run import SETTINGS_FILE, read_starts

OWN = ("help", "debug", "config")
"""Flags that mean nothing in a file."""


class CommandParser(argparse.ArgumentParser):
    """Reads a command's flags and, below them, a run's own settings and the files of `--config`.

    Attributes:
        settings: what a file may set, by dotted name.
        decided: settings that the command decides itself; a file's are passed over.
        shortened: of those, the ones that it has a flag of another name for, with the flag's value for a setting's.
    """

    def __init__(self, name: str, description: str) -> None:
        super().__init__(
            prog=f"depth {name}",
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.settings: dict[str, NamedSetting] = {}
        self.decided: set[str] = set()
        self.shortened: dict[str, tuple[str, Callable[[Any], Any]]] = {}
        self.needed: list[argparse.Action] = []
        self.add_argument("--debug", action="store_true", help="show the whole traceback of an error")

    def add_argument(self, *names: str, **how: Any) -> argparse.Action:  # type: ignore[override]
        """Add one, as in argparse; whether a needed one is there is only known once the files are read."""
        action = super().add_argument(*names, **how)
        if action.required:
            self.needed.append(action)
            action.required = False
        return action

    def add_settings_file(self, with_recipes: bool = False) -> None:
        """Add `--config`, for files and, where wanted, for the recipes of the papers by name."""
        what = "recipe (see the end of this help) or YAML file" if with_recipes else "YAML file"
        about = f"{what} with any of the settings below; flags override it, of several files the last one counts"
        self.add_argument("--config", action="append", default=[], help=about)
        if with_recipes:
            self.epilog = f"recipes for --config:\n{describe_recipes()}"

    def add_resume_flags(self, for_queues: bool = True) -> None:
        """Add `--resume` and, where wanted, `--resume_if_exists`: a run's own settings are then what is not given."""
        about = "go on from the last save of --output, with the settings of its config.yaml where none are given"
        self.add_argument("--resume", action="store_true", help=about)
        if for_queues:
            about = "go on where --output has a save, else start: for job queues"
            self.add_argument("--resume_if_exists", action="store_true", help=about)

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Parse; leaves with status 2 on wrong usage, raises ConfigError for a file that is wrong."""
        self.usage = " ".join(["%(prog)s", *(_usage(action) for action in self.needed), "[FLAGS]"])
        actions = {action.dest: action for action in self._actions if action.dest != "help"}
        # argparse puts defaults only where nothing is: this way it tells what was given.
        blank = namespace or argparse.Namespace(**dict.fromkeys(actions))
        parsed, unknown = self.parse_known_args(args, blank)
        if unknown:
            self.error(self._cannot_place(unknown))
        given = {name: value for name, value in vars(parsed).items() if value is not None}
        values = {name: action.default for name, action in actions.items()} | self._of_run(given)
        for source in given.get("config", []):
            values |= self._checked(source)
        values |= given
        missing = [_name(action) for action in self.needed if values[action.dest] is None]
        if missing:
            self.error(f"needs {', '.join(missing)}")
        return argparse.Namespace(**values)

    def error(self, message: str) -> NoReturn:
        """Leave with status 2 and one line, instead of a list of all flags that hides what is wrong."""
        line = message.removeprefix("argument ").replace(": takes ", " takes ", 1)
        self.exit(2, f"{self.prog}: {line} (`{self.prog} --help` lists all flags)\n")

    def _cannot_place(self, unknown: list[str]) -> str:
        name = next((word.partition("=")[0] for word in unknown if word.startswith("-")), None)
        if name is None:
            return f"cannot place {' '.join(unknown)}: values follow the flag that they belong to"
        near = difflib.get_close_matches(name, self._option_string_actions, n=1)
        return f"unknown flag {name}" + (f": did you mean {near[0]}?" if near else "")

    def _of_run(self, given: dict[str, Any]) -> dict[str, Any]:
        """The settings of the run that goes on, if one does."""
        goes_on = given.get("output") and (given.get("resume") or given.get("resume_if_exists"))
        own = Path(given["output"]) / SETTINGS_FILE if goes_on else None
        if own is None or not own.is_file():
            return {}
        flags = {action.dest for action in self._actions}
        places = {flag: place for flag, place in _places(own.parent).items() if flag in flags}
        checked = places | self._checked(str(own))
        if "epochs" in given and "steps" not in given:
            checked.pop("steps", None)  # it would win
        for name, value in read_settings_file(str(own)).items():
            if name in self.shortened:
                flag, translate = self.shortened[name]
                checked[flag] = translate(value)
        return checked

    def _checked(self, source: str) -> dict[str, Any]:
        """The settings of a recipe or file; raises ConfigError with its name."""
        flags = {action.dest: action for action in self._actions if action.dest not in (*self.settings, *OWN)}
        checked = {}
        for name, value in read_settings_file(source).items():
            try:
                if name in self.settings:
                    checked[name] = coerce(dataclasses.replace(self.settings[name], name=name), value)
                elif name in flags:
                    checked[name] = _as_given(flags[name], value)
                elif name not in self.decided:
                    near = difflib.get_close_matches(name, [*self.settings, *flags], n=1)
                    hint = f"did you mean '{near[0]}'?" if near else f"`{self.prog} --help` lists all"
                    raise ConfigError(f"unknown setting '{name}': {hint}")
            except (ConfigError, argparse.ArgumentTypeError) as error:
                prefix = f"{source}: " if isinstance(error, ConfigError) else f"{source}: '{name}' "
                raise ConfigError(prefix + str(error)) from None
        return checked


def _places(folder: Path) -> dict[str, str]:
    """Where a run's latest start found what it read, by flag; empty where it does not say."""
    try:
        places = read_starts(folder)[-1]["places"]
        return {str(flag): str(place) for flag, place in places.items()}
    except (KeyError, IndexError, TypeError, AttributeError):
        return {}


def _as_given(action: argparse.Action, value: Any) -> Any:
    """A file's value for a flag, as if it stood on the command line."""
    if isinstance(value, list):
        return [_as_given(action, each) for each in value]
    convert = action.type if callable(action.type) else str
    return value if isinstance(value, bool) or value is None else convert(str(value))


def _name(action: argparse.Action) -> str:
    return action.option_strings[0] if action.option_strings else action.dest.upper()


def _usage(action: argparse.Action) -> str:
    value = str(action.metavar or action.dest.upper())
    value += f" [{value} ...]" if action.nargs == "+" else ""
    return f"{action.option_strings[0]} {value}" if action.option_strings else value
