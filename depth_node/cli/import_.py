# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Turn official weights of HR-Depth, Lite-HR-Depth, monodepth2 or PackNet-SfM into a checkpoint for every command here.

By name, such as monodepth2:mono_640x192: downloaded, its checksum compared, imported, and kept in ~/.cache/depth_node.
The same names work wherever a command or the live node takes a checkpoint. Or from files: a folder with encoder.pth and
depth.pth, a *.zip of one, or a PackNet-SfM *.ckpt file. They are pickles, which could run anything when loaded: here
they are read as plain data only, and what is more than that is refused.

Environment: DEPTH_NODE_CACHE, another cache folder. DEPTH_NODE_MIRROR, as --mirror but for every command and the node.

Example: depth import monodepth2:mono_640x192
         depth import HR_Depth_K_M_1280x384 --output hr_depth.safetensors
"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from depth_node.checkpoints.published.catalogue import PUBLISHED
from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.importing import ImportConfig
from depth_node.errors import ConfigError

if TYPE_CHECKING:
    from depth_node.checkpoints.depth_info import CheckpointInfo


def add_arguments(parser: CommandParser) -> None:
    """Flags of `depth import`."""
    about = "name of published weights, folder with encoder.pth and depth.pth, *.zip of one, or *.ckpt file"
    parser.add_argument("source", type=Path, help=about)
    parser.add_argument("--output", type=Path, help="file to write, *.safetensors; by name the cache is enough")
    parser.add_argument("--mirror", default="", help="base URL or folder with the authors' files, for weights by name")
    add_settings(parser, ImportConfig)
    parser.epilog = "names:\n" + "\n".join(f"  {each.name}" for each in PUBLISHED.values())


def run(args: Namespace) -> int:
    """Import, and say what became of it."""
    from depth_node.checkpoints.by_name import is_published

    config = read_settings(args, ImportConfig)
    if is_published(args.source):
        return _import_name(args, config)
    if args.mirror:
        raise ConfigError("--mirror goes with weights by name, such as monodepth2:mono_640x192")
    if not args.output:
        raise ConfigError("weights from files need --output FILE: only those by name are kept in the cache")
    return _import_files(args, config)


def _import_name(args: Namespace, config: ImportConfig) -> int:
    """Fetch published weights; with `--output`, write a checkpoint of one's own, with the settings given."""
    from depth_node.checkpoints.by_name import find_published
    from depth_node.checkpoints.depth import read_info, restate
    from depth_node.checkpoints.published.fetching import fetch

    published = find_published(args.source)
    if config != ImportConfig() and not args.output:
        raise ConfigError("settings of your own need --output FILE: what is in the cache stays as it was published")
    path = fetch(published, args.mirror)
    info = read_info(path)
    family = info.training["imported_from"]
    if config.family not in ("auto", family):
        raise ConfigError(f"{published.name} is of the family {family}: leave out --family")
    if args.output:
        info = _with_settings(info, config)
        restate(path, info, args.output)
        path = args.output
    _show(path, info)
    if not args.output:
        print(f"next: depth predict PICTURES --checkpoint {published.name} --output FOLDER")
    return 0


def _import_files(args: Namespace, config: ImportConfig) -> int:
    from depth_node.checkpoints.depth import save_checkpoint
    from depth_node.checkpoints.importing.importer import import_official

    info, found = import_official(args.source, config)
    save_checkpoint(args.output, info, found.depth, found.pose)
    _show(args.output, info)
    for note in found.notes:
        print(f"note: {note}")
    return 0


def _with_settings(info: CheckpointInfo, config: ImportConfig) -> CheckpointInfo:
    """A description with the settings that are given; none of them touches the weights."""
    given = {name: getattr(config, name) for name in ("height", "width", "min_depth", "max_depth")}
    network = replace(info.network, **{name: value for name, value in given.items() if value})
    if config.scale:
        return replace(info, network=network, scale=config.scale, scale_source="given")
    return replace(info, network=network)


def _show(path: Path, info: CheckpointInfo) -> None:
    from depth_node.checkpoints.description import describe

    network = info.network
    with_pose = "pose " in describe(path)["networks"]
    parts = f"depth and pose network ({network.pose})" if with_pose else "depth network"
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    print(f"{path}: {network.architecture} at {network.width}x{network.height}, {parts}, {size}")
    if info.licence:
        print(f"licence: {info.licence}")
