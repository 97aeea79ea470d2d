# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of HR-Depth, Lite-HR-Depth and monodepth2: the imported network computes what the weights' names say.

The reference is written once more here, with functions only and under the authors' names of the weights.
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import torch
import torch.nn.functional as F

from depth_node.checkpoints.depth import load_checkpoint
from depth_node.checkpoints.importing.folder import read_pose
from depth_node.checkpoints.importing.importer import import_official
from depth_node.checkpoints.importing.names import hr_depth_order
from depth_node.cli.main import main
from depth_node.config.importing import ImportConfig
from depth_node.errors import CheckpointError, ConfigError

NODES = ("01", "11", "21", "31", "02", "12", "22", "03", "13", "04")
ENDS = ("31", "22", "13", "04")


class Reference:
    """Layers as functions, by the names of their weights."""

    def __init__(self, state):
        self.state = state

    def has(self, name):
        return name + ".weight" in self.state

    def conv(self, name, x, stride=1, reflect=False, groups=1):
        weight, bias = self.state[name + ".weight"], self.state.get(name + ".bias")
        pad = weight.shape[-1] // 2
        if reflect:
            return F.conv2d(F.pad(x, (pad,) * 4, mode="reflect"), weight, bias)
        return F.conv2d(x, weight, bias, stride, pad, groups=groups)

    def norm(self, name, x):
        s = {key: self.state[f"{name}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")}
        return F.batch_norm(x, s["running_mean"], s["running_var"], s["weight"], s["bias"])

    def elu(self, name, x):
        return F.elu(self.conv(name + ".conv.conv", x, reflect=True))

    def disparity(self, name, x):
        return torch.sigmoid(self.conv(name + ".conv", x, reflect=True))

    def resnet(self, image):
        maps = [F.relu(self.norm("encoder.bn1", self.conv("encoder.conv1", (image - 0.45) / 0.225, 2)))]
        x = F.max_pool2d(maps[0], 3, 2, 1)
        for stage in range(1, 5):
            block = 0
            while self.has(f"encoder.layer{stage}.{block}.conv1"):
                x = self.residual(f"encoder.layer{stage}.{block}.", x, 2 if stage > 1 and block == 0 else 1)
                block += 1
            maps.append(x)
        return maps

    def residual(self, name, x, stride):
        deep = self.has(name + "conv3")
        last = 3 if deep else 2
        out = x
        for i in range(1, last + 1):
            strided = stride if i == (2 if deep else 1) else 1
            out = self.norm(f"{name}bn{i}", self.conv(f"{name}conv{i}", out, strided))
            out = F.relu(out) if i < last else out
        if self.has(name + "downsample.0"):
            x = self.norm(name + "downsample.1", self.conv(name + "downsample.0", x, stride))
        return F.relu(out + x)

    def mobilenet(self, image):
        x = (image - 0.45) / 0.225
        x = F.hardswish(self.norm("encoder.features.0.1", self.conv("encoder.features.0.0", x, 2)))
        maps = [x]
        for index in range(1, 16):
            name = f"encoder.features.{index}.conv."
            act = F.hardswish if index >= 7 else F.relu
            deep, stride = 3 if index > 1 else 0, 2 if index in (2, 4, 7, 13) else 1
            out = act(self.norm(name + "1", self.conv(name + "0", x))) if deep else x
            out = self.conv(f"{name}{deep}", out, stride, groups=out.shape[1])
            out = self.norm(f"{name}{deep + 1}", out)
            if self.has(name + "5.fc.0"):
                out = out * self.excite(name + "5.fc", out)
            out = act(out)
            out = self.norm(f"{name}{deep + 5 if not deep else 8}", self.conv(f"{name}{7 if deep else 4}", out))
            x = x + out if out.shape == x.shape else out
            if index in (2, 4, 7, 15):
                maps.append(x)
        return maps

    def excite(self, name, x, gate=F.hardsigmoid):
        first, second = self.state[name + ".0.weight"], self.state[name + ".2.weight"]
        inner = F.relu(F.linear(x.mean((2, 3)), first, self.state.get(name + ".0.bias")))
        return gate(F.linear(inner, second, self.state.get(name + ".2.bias")))[:, :, None, None]

    def dense_decoder(self, maps):
        rows = {f"{i}0": tap for i, tap in enumerate(maps)}
        for node in NODES:
            i, j = int(node[0]), int(node[1])
            below = f"{i + 1}{j - 1}"
            x = F.interpolate(self.elu(f"convs.X_{below}_Conv_0", rows[below]), scale_factor=2.0)
            x = torch.cat([x, *(rows[f"{i}{k}"] for k in range(j))], 1)
            if node in ENDS:
                name = f"convs.X_{node}_attention"
                x = F.relu(self.conv(name + ".conv_se", x * self.excite(name + ".fc", x, torch.sigmoid)))
            else:
                if self.has(f"convs.X_{node}_downsample.conv"):
                    x = self.conv(f"convs.X_{node}_downsample.conv", x)
                x = self.elu(f"convs.X_{below}_Conv_1", x)
            rows[node] = x
        x = F.interpolate(self.elu("convs.X_04_Conv_0", rows["04"]), scale_factor=2.0)
        ends = [self.elu("convs.X_04_Conv_1", x), rows["04"], rows["13"], rows["22"]]
        return [self.disparity(f"convs.dispConvScale{i}", end) for i, end in enumerate(ends)]

    def monodepth2_decoder(self, maps):
        x, disparities = maps[-1], []
        for step, level in enumerate(range(4, -1, -1)):
            x = F.interpolate(self.elu(f"decoder.{2 * step}", x), scale_factor=2.0)
            x = torch.cat([x, maps[level - 1]], 1) if level else x
            x = self.elu(f"decoder.{2 * step + 1}", x)
            if level < 4:
                disparities.append(self.disparity(f"decoder.{10 + level}", x))
        return disparities[::-1]


def check(folder, reference_encoder, reference_decoder, **config):
    """Import, save, load, and compare the outputs with the reference's."""
    info, found = import_official(folder.path, ImportConfig(**config))
    torch.manual_seed(1)
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        expected = reference_decoder(Reference(folder.decoder), reference_encoder(Reference(folder.encoder), image))
        got = found.depth(image)
    for ours, theirs in zip(got, expected, strict=True):
        assert theirs.std() > 1e-3  # a constant would prove nothing
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    return info, found


def test_hr_depth(official, tmp_path):
    folder = official.hr_depth(tmp_path / "hr", legacy=True)
    assert (len(folder.encoder), len(folder.decoder)) == (122, 142)
    info, found = check(folder, Reference.resnet, Reference.dense_decoder)
    network = info.network
    assert (found.family, network.architecture) == ("hr_depth", "hr_depth_resnet18")
    assert (network.width, network.height, network.min_depth, network.max_depth) == (96, 64, 0.1, 100.0)
    assert (info.scale, info.scale_source, found.pose, found.notes) == (1.0, "none", None, ())
    # The numbers alone are enough.
    numbered = {name: tensor for name, tensor in folder.decoder.items() if name.startswith("decoder.")}
    folder.path = official.folder(folder.path, folder.encoder, numbered)
    check(folder, Reference.resnet, Reference.dense_decoder)


def test_lite_hr_depth(official, tmp_path):
    folder = official.hr_depth(tmp_path / "lite", lite=True)
    assert (len(folder.encoder), len(folder.decoder)) == (302, 136)
    info, found = check(folder, Reference.mobilenet, Reference.dense_decoder)
    assert (found.family, info.network.architecture) == ("lite_hr_depth", "lite_hr_depth")
    assert not info.network.timm_se_order


@pytest.mark.parametrize("depth", [18, pytest.param(50, marks=pytest.mark.slow)])
def test_monodepth2_with_its_pose_network(official, tmp_path, depth):
    folder = official.monodepth2(tmp_path / "mono", depth)
    assert len(folder.decoder) == 28
    encoder, head = official.resnet(depth, images=2), official.pose_decoder(512 if depth == 18 else 2048)
    torch.save(encoder, folder.path / "pose_encoder.pth")
    torch.save(head, folder.path / "pose.pth")
    info, found = check(folder, Reference.resnet, Reference.monodepth2_decoder)
    assert (info.network.architecture, info.network.pose) == (f"monodepth2_resnet{depth}", f"pose_resnet{depth}")
    pair = torch.rand(1, 6, 64, 96)
    reference = Reference(head)
    with torch.no_grad():
        x = Reference(encoder).resnet(pair)[-1]
        for i in range(3):
            x = F.relu(reference.conv(f"net.{i}", x))
        got = found.pose.head(found.pose.encoder(pair)[-1])
        torch.testing.assert_close(got, reference.conv("net.3", x), rtol=0, atol=1e-5)
    assert not found.pose.training


@pytest.fixture(scope="module")
def weights(official_for_module):
    """Encoder and decoder of Lite-HR-Depth, the quickest to import."""
    return official_for_module.mobilenet(), official_for_module.dense_decoder(official_for_module.LITE_HR_DEPTH)


@pytest.fixture
def lite(official, tmp_path, weights):
    """A function that writes a folder of Lite-HR-Depth, with changes, and returns it."""

    def write(encoder=None, decoder=None, **extra):
        mine, other = weights
        return official.folder(tmp_path / "lite", encoder or mine, decoder or other, **extra)

    return write


@pytest.mark.parametrize(
    ("encoder", "head"),
    [
        ({}, {"net.0.weight": (256, 512, 1, 1)}),  # shares its encoder with the depth network
        ({"encoder.conv1.weight": (64, 6, 7, 7)}, {"net.0.weight": (256, 1024, 1, 1)}),  # of other width
        ({"encoder.conv1.weight": (64, 9, 7, 7)}, {"net.0.weight": (256, 512, 1, 1)}),  # three frames at once
        ({"encoder.conv1.weight": (64, 6, 7, 7)}, {"net.0.weight": (16, 6, 7, 7)}),  # PoseCNN
    ],
)
def test_a_pose_network_that_does_not_fit_is_left_out_and_told(lite, encoder, head):
    folder = lite()
    for name, shapes in (("pose_encoder", encoder), ("pose", head)):
        if shapes:
            torch.save({key: torch.zeros(shape) for key, shape in shapes.items()}, folder / f"{name}.pth")
    with ExitStack() as files:
        pose, notes = read_pose(folder, files)
    assert pose is None
    assert len(notes) == 1
    assert "left out" in notes[0]


def test_the_names_alone_are_enough_and_parallel_training_does_not_matter(lite, weights):
    whole = import_official(lite())[1].depth.state_dict()
    # Older versions of PyTorch did not count batches.
    encoder = {f"module.{name}": tensor for name, tensor in weights[0].items() if "num_batches" not in name}
    decoder = {f"module.{name}": tensor for name, tensor in weights[1].items() if name.startswith("convs.")}
    for name, tensor in import_official(lite(encoder, decoder))[1].depth.state_dict().items():
        assert "num_batches" in name or torch.equal(tensor, whole[name]), name


def test_halves_that_differ_are_an_error(lite, weights):
    changed = {"decoder.20.conv.conv.bias": weights[1]["decoder.20.conv.conv.bias"] + 1e-3}
    with pytest.raises(CheckpointError, match=r"'convs.X_10_Conv_1.conv.conv.bias' and 'decoder.20.conv.conv.bias'"):
        import_official(lite(decoder=weights[1] | changed))


def test_the_numbers_of_modules_are_those_of_the_table(official):
    for squeeze, table in ((True, official.HR_DEPTH), (False, official.LITE_HR_DEPTH)):
        expected = [row.split()[0] for row in table.replace("\n", "|").split("|") if row]
        assert hr_depth_order(squeeze) == expected


def test_the_user_knows_better(lite):
    config = ImportConfig(height=128, width=160, min_depth=0.5, max_depth=50.0, scale=5.4)
    info, found = import_official(lite(use_stereo=True), config)
    network = info.network
    assert (network.height, network.width, network.min_depth, network.max_depth) == (128, 160, 0.5, 50.0)
    assert (info.scale, info.scale_source, found.notes) == (5.4, "given", ())


def test_stereo_training_is_told(lite):
    assert "5.4 m" in import_official(lite(use_stereo=True))[1].notes[0]


@pytest.mark.parametrize("missing", ["encoder", "depth"])
def test_a_folder_without_a_file_is_told(tmp_path, missing):
    (tmp_path / f"{'depth' if missing == 'encoder' else 'encoder'}.pth").touch()
    with pytest.raises(CheckpointError, match=rf"has no {missing}\.pth: name the one that holds"):
        import_official(tmp_path)


def test_a_size_that_nobody_knows_is_asked_for(lite):
    with pytest.raises(CheckpointError, match="give --height and --width"):
        import_official(lite(height=None))


def test_a_size_that_the_network_cannot_take_is_told(lite):
    with pytest.raises(ConfigError, match="use 96x64"):
        import_official(lite(height=70))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"convs.X_31_attention.fc.0.weight": None}, r"lacks 'X_31_attention\.fc\.0\.weight'"),
        ({"convs.X_05_Conv_0.conv.bias": torch.zeros(1)}, r"has 'X_05_Conv_0.conv.bias' \(1,\) as well"),
        ({"decoder.30.conv.bias": torch.zeros(1)}, r"has 'decoder.30.conv.bias' \(1,\) as well"),
        ({"convs.dispConvScale0.conv.weight": torch.zeros(1, 4, 3)}, r"shape \(1, 4, 3\), expected \(1, 4, 3, 3\)"),
    ],
)
def test_another_network_is_told_by_its_first_difference(lite, weights, change, says):
    decoder = {name: tensor for name, tensor in weights[1].items() if name.startswith("convs.")} | change
    folder = lite(decoder={name: tensor for name, tensor in decoder.items() if tensor is not None})
    with pytest.raises(CheckpointError, match="is not the expected network: .*" + says):
        import_official(folder)


def test_a_given_family_says_what_differs(lite):
    with pytest.raises(CheckpointError, match=r"encoder\.pth is not the expected network: it has 'encoder\.features"):
        import_official(lite(), ImportConfig(family="monodepth2"))
    with pytest.raises(CheckpointError, match=r"single \*\.ckpt files"):
        import_official(lite(), ImportConfig(family="packnet_sfm"))


def test_weights_of_an_unknown_network_are_told(lite):
    odd = {"weight": torch.zeros(1)}
    with pytest.raises(CheckpointError, match="no network known here: name their --family"):
        import_official(lite(odd, odd))
    with pytest.raises(CheckpointError, match=r"depth\.pth holds no weights by name"):
        import_official(lite(odd, {"weight": 1}))


def test_the_command_writes_a_checkpoint_that_loads_bit_equal(lite, tmp_path, capsys):
    folder, output = lite(), tmp_path / "out" / "lite.safetensors"
    assert main(["import", str(folder), "--output", str(output), "--scale", "30"]) == 0
    assert "lite.safetensors: lite_hr_depth at 96x64, depth network, 12." in capsys.readouterr().out
    loaded, (info, found) = load_checkpoint(output), import_official(folder, ImportConfig(scale=30))
    assert loaded.info.network == info.network
    assert loaded.info.scale == 30
    assert loaded.info.training == {"imported_from": "lite_hr_depth", "files": "lite"}
    for name, tensor in found.depth.state_dict().items():
        assert torch.equal(loaded.depth.state_dict()[name], tensor), name


def test_the_command_fails_in_one_line_and_writes_nothing(lite, tmp_path, capsys):
    folder, output = lite(), tmp_path / "out.safetensors"
    data = (folder / "depth.pth").read_bytes()
    (folder / "depth.pth").write_bytes(data[: len(data) // 2])
    assert main(["import", str(folder), "--output", str(output)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("depth import: ")
    assert "depth.pth is damaged or cut off" in error
    assert error.count("\n") == 1
    assert main(["import", str(tmp_path / "none"), "--output", str(output)]) == 1
    assert "none does not exist: name a folder" in capsys.readouterr().err
    assert not output.exists()
