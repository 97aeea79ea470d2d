# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""PackNet-SfM checkpoints: the imported networks compute what the weights' names say."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F

from depth_node.checkpoints.importing.importer import import_official
from depth_node.checkpoints.importing.packnet_sfm import read_pose
from depth_node.checkpoints.importing.state import State
from depth_node.checkpoints.importing.torch_file import TorchFile
from depth_node.config.importing import ImportConfig
from depth_node.errors import CheckpointError
from depth_node.geometry.disparity import disparity_to_depth


def save(path, networks, shape=(64, 96), legacy=False, prefix="model.", **more):
    """Write a checkpoint as the authors' trainer does; `networks` maps 'depth_net' ... to state dicts."""
    state = {f"{prefix}{net}.{name}": t for net, tensors in networks.items() for name, t in tensors.items()}
    config = {"datasets": {"augmentation": {"image_shape": shape}}}
    content = {"config": config, "epoch": 3, "state_dict": OrderedDict(state), "optimizer": {"state": {}}} | more
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


class Reference:
    """PackNet01 once more, with functions only and under the authors' names."""

    def __init__(self, state):
        self.state = state

    def conv(self, name, x):
        weight = self.state[name + ".weight"]
        function = F.conv3d if weight.dim() == 5 else F.conv2d
        return function(x, weight, self.state[name + ".bias"], padding=weight.shape[-1] // 2)

    def norm(self, name, x):
        return F.elu(F.group_norm(x, 16, self.state[name + ".weight"], self.state[name + ".bias"]))

    def layer(self, name, x):
        return self.norm(name + ".normalize", self.conv(name + ".conv_base", x))

    def spread(self, name, x):
        """The 3-D convolution over channels, height and width."""
        return self.conv(name + ".conv3d", x[:, None]).reshape(x.shape[0], -1, *x.shape[2:])

    def residual(self, name, x):
        out = self.layer(name + "conv2", self.layer(name + "conv1", x))
        return self.norm(name + "normalize", out + self.conv(name + "conv3", x))

    def __call__(self, image):
        maps = [self.layer("pre_calc", image)]
        for i in range(1, 6):
            x = self.layer("conv1", maps[-1]) if i == 1 else maps[-1]
            block = 0
            while f"conv{i}.{block}.conv3.weight" in self.state:
                x = self.residual(f"conv{i}.{block}.", x)
                block += 1
            b, c, h, w = x.shape
            packed = x.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(b, 4 * c, h // 2, w // 2)
            maps.append(self.layer(f"pack{i}.conv", self.spread(f"pack{i}", packed)))
        x, inverse = maps[5], []
        for i in range(5, 0, -1):
            x = F.pixel_shuffle(self.spread(f"unpack{i}", self.layer(f"unpack{i}.conv", x)), 2)
            coarser = [F.interpolate(inverse[-1], scale_factor=2.0)] if inverse else []
            x = self.layer(f"iconv{i}", torch.cat([x, maps[i - 1], *coarser], 1))
            if i < 5:
                inverse.append(torch.sigmoid(self.conv(f"disp{i}_layer.conv1", x)) / 0.5)
        return inverse[::-1]


@pytest.fixture(scope="module")
def packnet(official_for_module, tmp_path_factory):
    """PackNet01 with PoseNet: weights by name, the file of the old kind and what was imported from it; 0.5 GB each."""
    depth, pose = official_for_module.packnet(), official_for_module.posenet()
    # As with dropout: the shortcut is the first of two modules.
    stored = {
        name.replace("conv3.weight", "conv3.0.weight").replace("conv3.bias", "conv3.0.bias"): tensor
        for name, tensor in depth.items()
    }
    path = tmp_path_factory.mktemp("packnet") / "packnet.ckpt"
    save(path, {"depth_net": stored, "pose_net": pose}, legacy=True)
    imported = import_official(path)
    path.unlink()
    return depth, pose, imported


@pytest.mark.slow
def test_packnet(packnet):
    depth, _, (info, found) = packnet
    assert (len(depth), sum(tensor.numel() for tensor in depth.values())) == (216, 128_294_020)
    network = info.network
    assert (found.family, network.architecture, network.pose) == ("packnet_sfm", "packnet01", "posenet")
    assert (network.width, network.height, network.min_depth, network.max_depth) == (96, 64, 0.5, 1e6)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        for ours, theirs in zip(found.depth(image), Reference(depth)(image), strict=True):
            assert theirs.std() > 1e-3
            torch.testing.assert_close(1 / disparity_to_depth(ours, 0.5, 1e6), theirs, rtol=0, atol=1e-5)


def posenet_motion(state, stacked):
    """Raw motion (B, 2, 6), translation first."""
    x = stacked
    for i in range(1, 8):
        weight = state[f"conv{i}.0.weight"]
        x = F.conv2d(x, weight, state[f"conv{i}.0.bias"], stride=2, padding=weight.shape[-1] // 2)
        x = F.relu(F.group_norm(x, 16, state[f"conv{i}.1.weight"], state[f"conv{i}.1.bias"]))
    x = F.conv2d(x, state["pose_pred.weight"], state["pose_pred.bias"])
    return 0.01 * x.mean((2, 3)).reshape(-1, 2, 6)


def rotation(angles):
    """Rx Ry Rz."""
    x, y, z = angles.double()
    rx = torch.tensor([[1, 0, 0], [0, x.cos(), -x.sin()], [0, x.sin(), x.cos()]])
    ry = torch.tensor([[y.cos(), 0, y.sin()], [0, 1, 0], [-y.sin(), 0, y.cos()]])
    rz = torch.tensor([[z.cos(), -z.sin(), 0], [z.sin(), z.cos(), 0], [0, 0, 1]])
    return (rx @ ry @ rz).float()


@pytest.fixture(scope="module")
def resnet(official_for_module):
    """DepthResNet with 18 layers."""
    encoder = {"encoder." + name: tensor for name, tensor in official_for_module.resnet().items()}
    decoder = {"decoder." + name: tensor for name, tensor in official_for_module.monodepth2_decoder().items()}
    return encoder | decoder


def test_resnet_with_posenet(official, resnet, tmp_path):
    pose = official.posenet()
    info, found = import_official(save(tmp_path / "r18.ckpt", {"depth_net": resnet, "pose_net": pose}))
    assert (info.network.architecture, info.network.pose) == ("monodepth2_resnet18", "posenet")
    assert (info.network.min_depth, info.network.max_depth) == (0.1, 100.0)
    own = found.depth.state_dict()
    assert torch.equal(own["encoder.backbone.layer3.1.conv2.weight"], resnet["encoder.encoder.layer3.1.conv2.weight"])
    assert torch.equal(own["decoder.merge.2.0.bias"], resnet["decoder.decoder.5.conv.conv.bias"])
    target, sources = torch.rand(1, 3, 64, 96), torch.rand(1, 2, 3, 64, 96)
    with torch.no_grad():
        got = found.pose(target, sources)
        motion = posenet_motion(pose, torch.cat([target, sources[:, 0], sources[:, 1]], 1))
    torch.testing.assert_close(got[:, :, :3, 3], motion[..., :3], rtol=0, atol=1e-6)
    torch.testing.assert_close(got[0, 1, :3, :3], rotation(motion[0, 1, 3:]), rtol=0, atol=1e-6)


def test_old_names(official, resnet, tmp_path):
    networks = {"disp_network": resnet, "pose_network": official.posenet()}
    found = import_official(save(tmp_path / "old.pth.tar", networks, legacy=True, prefix=""))[1]
    assert found.pose is not None


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        ({"encoder.encoder.conv1.weight": (64, 6, 7, 7)}, "PoseResNet turns its output"),
        ({"conv1.0.weight": (16, 6, 7, 7), "pose_pred.weight": (6, 256, 1, 1)}, "two reference frames"),
    ],
)
def test_other_pose_networks_are_left_out_and_told(tmp_path, shapes, says):
    torch.save({name: torch.zeros(shape) for name, shape in shapes.items()}, tmp_path / "pose.pth")
    with TorchFile(tmp_path / "pose.pth") as file:
        pose, notes = read_pose(State.of(file))
    assert pose is None
    assert len(notes) == 1
    assert says in notes[0]


@pytest.mark.parametrize("shape", [(), "big", (192,), (192.0, 640.0), (None, None)])
@pytest.mark.parametrize("start", ["pre_calc.conv_base.weight", "encoder.encoder.layer1.0.conv1.weight"])
def test_a_size_that_nobody_knows_is_asked_for(tmp_path, shape, start):
    path = save(tmp_path / "r18.ckpt", {"depth_net": {start: torch.zeros(1)}}, shape=shape)
    with pytest.raises(CheckpointError, match="give --height and --width"):
        import_official(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"state_dict": {}}, "is no checkpoint of PackNet-SfM: it has no state_dict"),
        ({"state_dict": [1]}, "it has no state_dict"),
        ([1, 2], "it has no state_dict"),
        ({"encoder.conv1.weight": torch.zeros(1)}, "monodepth2 and HR-Depth are folders, name that"),
        ({"state_dict": {"model.pose_net.conv1.0.weight": torch.zeros(1)}}, "holds no depth network known here"),
    ],
)
def test_other_files_are_told(tmp_path, content, says):
    torch.save(content, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match=says):
        import_official(tmp_path / "other.ckpt")


def test_another_family_is_told(tmp_path):
    path = save(tmp_path / "r18.ckpt", {"depth_net": {"pre_calc.conv_base.weight": torch.zeros(1)}})
    with pytest.raises(CheckpointError, match="is a checkpoint of PackNet-SfM, not of hr_depth"):
        import_official(path, ImportConfig(family="hr_depth"))


def test_a_damaged_network_is_told(resnet, tmp_path):
    state = {name: tensor for name, tensor in resnet.items() if name != "decoder.decoder.13.conv.bias"}
    with pytest.raises(CheckpointError, match=r"lacks 'decoder\.13\.conv\.bias'"):
        import_official(save(tmp_path / "r18.ckpt", {"depth_net": state}))
