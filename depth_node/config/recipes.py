# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings in files: the named recipes of both papers, and any other YAML file with settings in it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from depth_node.config.classes import read_mapping
from depth_node.errors import ConfigError

FOLDER = Path("config/recipes")
INSTALLED = Path("share/depth_node") / FOLDER


def recipes() -> dict[str, Path]:
    """The named recipes and their files; none where the installation left them out."""
    here = Path(__file__).resolve()
    # Beside the package in a checkout; else below the prefix it was installed to (pip, colcon, a virtual environment).
    places = [here.parents[2] / FOLDER, *(parent / INSTALLED for parent in here.parents)]
    folder = next((place for place in places if place.is_dir()), None)
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))} if folder else {}


def describe_recipes() -> str:
    """A line for each recipe: its name and what its file's first line says."""
    firsts = {name: path.read_text(encoding="utf-8").splitlines()[0] for name, path in recipes().items()}
    return "\n".join(f"  {name:<14} {line.removeprefix('# ')}" for name, line in firsts.items())


def read_settings_file(source: str) -> dict[str, Any]:
    """The settings in a recipe or a YAML file, by dotted name.

    Args:
        source: name of a recipe, or path of a file with nested or dotted names, such as a run's config.yaml.

    Raises:
        ConfigError: there is neither, or the file is no YAML mapping.
    """
    known = recipes()
    path = known.get(source, Path(source))
    if not path.exists() and path.suffix not in (".yaml", ".yml"):
        near = difflib.get_close_matches(source, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"recipes are: {', '.join(known)}"
        raise ConfigError(f"there is no recipe and no file '{source}': {hint}")
    return _flat(read_mapping(path, "settings file"))


def _flat(nested: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat
