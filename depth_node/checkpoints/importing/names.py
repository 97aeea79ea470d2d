# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Our names of tensors to those of the official files (docs/papers.md, Official checkpoints)."""

from __future__ import annotations

from torch import nn

from depth_node.networks.decoders import HRDepthDecoder
from depth_node.networks.encoders import MobileNetV3Encoder

MOBILENET_OPENING = {"conv_dw": "0", "bn1": "1", "conv_pw": "4", "bn2": "5"}
MOBILENET_BLOCK = {
    "conv_pw": "0",
    "bn1": "1",
    "conv_dw": "3",
    "bn2": "4",
    "se.0.conv_reduce": "5.fc.0",
    "se.0.conv_expand": "5.fc.2",
    "conv_pwl": "7",
    "bn3": "8",
}
"""Layers of a MobileNetV3 block; the first one does not widen its input, so it has fewer."""
FUSE = {"fuse.0.fc1": "fc.0", "fuse.0.fc2": "fc.2", "fuse.1": "conv_se"}
PACKNET_CONV = {"0": "conv_base", "1": "normalize"}
PACKNET_RESIDUAL = {
    **{f"first.{ours}": f"conv1.{theirs}" for ours, theirs in PACKNET_CONV.items()},
    **{f"second.{ours}": f"conv2.{theirs}" for ours, theirs in PACKNET_CONV.items()},
    "shortcut": "conv3",
    "norm": "normalize",
}
PACKNET_PACK = {"mix": "conv3d", **{f"reduce.{ours}": f"conv.{theirs}" for ours, theirs in PACKNET_CONV.items()}}


def tensor_names(network: nn.Module, prefix: str, layers: dict[str, str]) -> dict[str, str]:
    """Names of tensors from names of layers.

    Args:
        network: whose tensors to name.
        prefix: take those that start so, and cut it off.
        layers: our layer (behind `prefix`) to theirs.

    Returns:
        Our tensor's name to theirs, the last part ('weight', 'running_mean' ...) being the same.
    """
    names = {}
    for name in network.state_dict():
        layer, _, last = name.removeprefix(prefix).rpartition(".")
        if name.startswith(prefix) and layer in layers:
            names[name.removeprefix(prefix)] = f"{layers[layer]}.{last}"
    return names


def resnet_encoder(network: nn.Module) -> dict[str, str]:
    """Our 'encoder.*' of a ResNet: torchvision's names, behind 'encoder.'."""
    ours = "encoder.backbone."
    return {
        n.removeprefix("encoder."): "encoder." + n.removeprefix(ours)
        for n in network.state_dict()
        if n.startswith(ours)
    }


def mobilenet_encoder(network: nn.Module) -> dict[str, str]:
    """Our 'encoder.*' of Lite-HR-Depth."""
    layers = {"stages.0.0": "encoder.features.0.0", "stages.0.1": "encoder.features.0.1"}
    for stage, (first, last) in enumerate(MobileNetV3Encoder.STAGES, start=1):
        for block in range(first, last):
            parts = MOBILENET_BLOCK if block else MOBILENET_OPENING
            theirs = f"encoder.features.{block + 1}.conv."
            layers |= {f"stages.{stage}.{block - first}.{part}": theirs + place for part, place in parts.items()}
    return tensor_names(network, "encoder.", layers)


def hr_depth_layers(squeeze: bool) -> dict[str, str]:
    """Layers of HR-Depth's decoder, ours to theirs; `squeeze` for the ResNet version.

    A node (i, j) takes from the coarser node (i + 1, j - 1): their layers carry that one's name.
    """
    layers = {"finish.0.0": "X_04_Conv_0.conv.conv", "finish.1.0": "X_04_Conv_1.conv.conv"}
    for i, j in HRDepthDecoder.ORDER:
        node, coarser = f"nodes.{i}{j}.", f"X_{i + 1}{j - 1}"
        layers[node + "halve.0"] = f"{coarser}_Conv_0.conv.conv"
        if (i, j) in HRDepthDecoder.ENDS:
            layers |= {node + ours: f"X_{i}{j}_attention.{theirs}" for ours, theirs in FUSE.items()}
            continue
        layers[node + "fuse.0"] = f"{coarser}_Conv_1.conv.conv"
        if squeeze and j > 1:
            layers[node + "squeeze"] = f"X_{i}{j}_downsample.conv"
    return layers | {f"heads.{i}.conv": f"dispConvScale{i}.conv" for i in range(4)}


def hr_depth_order(squeeze: bool) -> list[str]:
    """Names of HR-Depth's decoder modules in their order, by which the same file numbers them once more."""
    columns = [(i, j) for j in range(5) for i in range(5 - j)]
    order = [f"X_{i}{j}_Conv_0" for i, j in columns] + ["X_04_Conv_1"]
    order += [f"X_{i}{j}_attention" for i, j in HRDepthDecoder.ENDS[::-1]]
    for i, j in HRDepthDecoder.ORDER:
        if (i, j) not in HRDepthDecoder.ENDS:
            order += [f"X_{i}{j}_downsample"] if squeeze and j > 1 else []
            order.append(f"X_{i + 1}{j - 1}_Conv_1")
    return order + [f"dispConvScale{i}" for i in range(4)]


HR_DEPTH_UNUSED = tuple(f"X_0{j}_Conv_0." for j in range(4))
"""HR-Depth stores four convolutions that nothing calls."""


def monodepth2_decoder(network: nn.Module) -> dict[str, str]:
    """Our 'decoder.*' of monodepth2: convolutions from coarse to fine, then heads from fine to coarse."""
    layers = {f"heads.{level}.conv": f"decoder.{10 + level}.conv" for level in range(4)}
    for step, level in enumerate(range(4, -1, -1)):
        layers[f"reduce.{level}.0"] = f"decoder.{2 * step}.conv.conv"
        layers[f"merge.{level}.0"] = f"decoder.{2 * step + 1}.conv.conv"
    return tensor_names(network, "decoder.", layers)


def pose_head(network: nn.Module) -> dict[str, str]:
    """Our 'head.*' of the ResNet pose network."""
    return tensor_names(network, "head.", {str(2 * i): f"net.{i}" for i in range(4)})


def posenet(network: nn.Module) -> dict[str, str]:
    """All of TRI's PoseNet."""
    layers = {f"stages.{i}.{part}": f"conv{i + 1}.{part}" for i in range(7) for part in (0, 1)}
    return tensor_names(network, "", layers | {"head": "pose_pred"})


def packnet(network: nn.Module) -> dict[str, str]:
    """All of PackNet01."""
    layers = _behind("encoder.stem.", "pre_calc.", PACKNET_CONV) | _behind("encoder.stages.0.", "conv1.", PACKNET_CONV)
    for i in range(5):
        layers |= _behind(f"encoder.packs.{i}.", f"pack{i + 1}.", PACKNET_PACK)
        layers |= _behind(f"decoder.unpacks.{i}.", f"unpack{i + 1}.", PACKNET_PACK)
        layers |= _behind(f"decoder.merge.{i}.", f"iconv{i + 1}.", PACKNET_CONV)
        layers[f"decoder.heads.{i}.conv"] = f"disp{i + 1}_layer.conv1"
        for block in range(3) if i else ():
            layers |= _behind(f"encoder.stages.{i}.{block}.", f"conv{i + 1}.{block}.", PACKNET_RESIDUAL)
    return tensor_names(network, "", layers)


def _behind(ours: str, theirs: str, layers: dict[str, str]) -> dict[str, str]:
    return {ours + name: theirs + other for name, other in layers.items()}
