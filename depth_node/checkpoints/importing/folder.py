# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of monodepth2, HR-Depth and Lite-HR-Depth (docs/papers.md, Official checkpoints)."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from depth_node.checkpoints.importing import names
from depth_node.checkpoints.importing.found import Found, entry, network_config
from depth_node.checkpoints.importing.state import State, take
from depth_node.checkpoints.importing.torch_file import TorchFile
from depth_node.config.importing import ImportConfig
from depth_node.errors import CheckpointError
from depth_node.networks.factory import build_depth_network
from depth_node.networks.pose import PoseNetwork, ResNetPose

DEPTH_RANGE = (0.1, 100.0)
CLASSIFIER = ("encoder.fc.",)
"""Every ResNet brings ImageNet's classifier along, unused."""
POSE_ENCODER = {"encoder.conv1.weight": (64, 6, 7, 7)}
POSE_HEAD = {"net.1.weight": (256, 256, 3, 3), "net.3.weight": (12, 256, 1, 1)}
POSE_DEPTHS = {512: 18, 2048: 50}
"""Layers of the pose encoder, by the channels that its head takes."""
"""Shapes that tell our pose network from the others that monodepth2 can train."""
STEREO_NOTE = "trained with stereo pairs: if that was on KITTI, one network unit is 5.4 m (--scale 5.4 stores it)"


def import_folder(folder: Path, config: ImportConfig) -> Found:
    """Read a folder.

    Args:
        folder: holds encoder.pth, depth.pth and perhaps pose_encoder.pth and pose.pth.
        config: what the user gave.

    Raises:
        CheckpointError: a file is missing, damaged, refused or not of the family.
        ConfigError: the input size or depth range cannot be used.
    """
    for name in ("encoder.pth", "depth.pth"):
        if not (folder / name).exists():
            raise CheckpointError(f"folder {folder} has no {name}: name the one that holds encoder.pth and depth.pth")
    with ExitStack() as files:
        encoder, decoder = (
            State.of(files.enter_context(TorchFile(folder / name))) for name in ("encoder.pth", "depth.pth")
        )
        family = _family(encoder, decoder, folder) if config.family == "auto" else config.family
        if family == "packnet_sfm":
            raise CheckpointError(f"{folder} is a folder: PackNet-SfM's networks are single *.ckpt files")
        pose, notes = read_pose(folder, files)
        network = network_config(config, encoder.file.path, _architecture(family, encoder), _size(encoder), DEPTH_RANGE)
        if isinstance(pose, ResNetPose):
            network = replace(network, pose=f"pose_resnet{pose.depth}")
        depth = build_depth_network(network)
        if family == "lite_hr_depth":
            take(depth, "encoder.", names.mobilenet_encoder(depth), encoder)
        else:
            take(depth, "encoder.", names.resnet_encoder(depth), encoder, CLASSIFIER)
        if family == "monodepth2":
            take(depth, "decoder.", names.monodepth2_decoder(depth), decoder)
        else:
            squeeze = family == "hr_depth"
            layers = names.tensor_names(depth, "decoder.", names.hr_depth_layers(squeeze))
            take(depth, "decoder.", layers, _once(decoder, names.hr_depth_order(squeeze)), names.HR_DEPTH_UNUSED)
        if entry(encoder.file.content, "use_stereo") is True and not config.scale:
            notes = (*notes, STEREO_NOTE)
    return Found(family, depth, pose, notes)


def _family(encoder: State, decoder: State, folder: Path) -> str:
    dense = decoder.has("convs.X_") or decoder.has("decoder.16.fc.")
    if dense and encoder.has("encoder.features."):
        return "lite_hr_depth"
    if dense and encoder.has("encoder.layer1."):
        return "hr_depth"
    if encoder.has("encoder.layer1.") and decoder.has("decoder.0.conv."):
        return "monodepth2"
    raise CheckpointError(f"{folder} holds weights of no network known here: name their --family to see what differs")


def _architecture(family: str, encoder: State) -> str:
    if family == "lite_hr_depth":
        return "lite_hr_depth"
    if family == "hr_depth":
        return "hr_depth_resnet18"
    return resnet_architecture(encoder, "encoder.")


def resnet_architecture(encoder: State, prefix: str) -> str:
    """'monodepth2_resnet18' or 'monodepth2_resnet50', by whether the blocks have a third convolution."""
    deep = encoder.has(prefix + "layer1.0.conv3.")
    return "monodepth2_resnet50" if deep else "monodepth2_resnet18"


def _size(encoder: State) -> tuple[object, object]:
    content = encoder.file.content
    return entry(content, "height"), entry(content, "width")


def _once(decoder: State, order: list[str]) -> State:
    """HR-Depth's decoder, which is stored by name and by number, by name alone.

    Raises:
        CheckpointError: name and number disagree.
    """
    numbers = {f"decoder.{number}.": f"{name}." for number, name in enumerate(order)}
    chosen: dict[str, str] = {}
    for name in sorted(decoder.tensors):  # 'convs.' comes before 'decoder.'
        head = ".".join(name.split(".")[:2]) + "."
        plain = name.replace(head, numbers[head], 1) if head in numbers else name.removeprefix("convs.")
        first = chosen.setdefault(plain, name)
        if first != name and not decoder.same(first, name):
            raise CheckpointError(
                f"{decoder.file.path} contradicts itself: '{first}' and '{name}' name one tensor but differ"
            )
    return State(decoder.file, {plain: decoder.tensors[name] for plain, name in chosen.items()})


def read_pose(folder: Path, files: ExitStack) -> tuple[PoseNetwork | None, tuple[str, ...]]:
    """The pose network of a folder, or None with a note where it has another one than ours; files stay open."""
    if not (folder / "pose.pth").exists():
        return None, ()
    if not (folder / "pose_encoder.pth").exists():
        return None, ("pose.pth is left out: there is no pose_encoder.pth, and only the separate ResNet fits",)
    encoder, head = (
        State.of(files.enter_context(TorchFile(folder / name))) for name in ("pose_encoder.pth", "pose.pth")
    )
    for state, shapes in ((encoder, POSE_ENCODER), (head, POSE_HEAD)):
        for name, shape in shapes.items():
            if state.shape(name) != shape:
                return None, (f"the pose network is left out: it is no ResNet over two frames ('{name}' differs)",)
    first = head.shape("net.0.weight") or (0, 0)
    if first[1] not in POSE_DEPTHS:
        return None, ("the pose network is left out: it is no ResNet-18 or ResNet-50 ('net.0.weight' differs)",)
    pose = ResNetPose(depth=POSE_DEPTHS[first[1]])
    take(pose, "encoder.", names.resnet_encoder(pose), encoder, CLASSIFIER)
    take(pose, "head.", names.pose_head(pose), head)
    return pose, ()
