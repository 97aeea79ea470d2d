# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Official state dicts with random weights, made from their key tables (docs/papers.md, Official checkpoints)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

# Decoder modules in the order of their numbers, each with the shapes of its tensors.
HR_DEPTH = """
X_00_Conv_0 32,64 | X_10_Conv_0 32,64 | X_20_Conv_0 64,128 | X_30_Conv_0 128,256 | X_40_Conv_0 256,512
X_01_Conv_0 16,32 | X_11_Conv_0 32,64 | X_21_Conv_0 64,128 | X_31_Conv_0 128,256
X_02_Conv_0 16,32 | X_12_Conv_0 32,64 | X_22_Conv_0 64,128
X_03_Conv_0 16,32 | X_13_Conv_0 32,64
X_04_Conv_0 16,32 | X_04_Conv_1 16,16
X_31_attention 32,512,256 | X_22_attention 24,384,128 | X_13_attention 16,256,64 | X_04_attention 12,192,32
X_10_Conv_1 32,96 | X_20_Conv_1 64,128 | X_30_Conv_1 128,256
X_02_downsample 64,128 | X_11_Conv_1 32,64 | X_12_downsample 128,192 | X_21_Conv_1 64,128
X_03_downsample 64,160 | X_12_Conv_1 32,64
dispConvScale0 1,16 | dispConvScale1 1,32 | dispConvScale2 1,64 | dispConvScale3 1,128
"""
LITE_HR_DEPTH = """
X_00_Conv_0 8,16 | X_10_Conv_0 12,24 | X_20_Conv_0 20,40 | X_30_Conv_0 40,80 | X_40_Conv_0 80,160
X_01_Conv_0 4,8 | X_11_Conv_0 12,24 | X_21_Conv_0 20,40 | X_31_Conv_0 40,80
X_02_Conv_0 4,8 | X_12_Conv_0 12,24 | X_22_Conv_0 20,40
X_03_Conv_0 4,8 | X_13_Conv_0 12,24
X_04_Conv_0 4,8 | X_04_Conv_1 4,4
X_31_attention 10,160,80 | X_22_attention 7,120,40 | X_13_attention 5,92,24 | X_04_attention 3,52,8
X_10_Conv_1 8,28 | X_20_Conv_1 24,44 | X_30_Conv_1 40,80
X_11_Conv_1 8,36 | X_21_Conv_1 24,68 | X_12_Conv_1 8,44
dispConvScale0 1,4 | dispConvScale1 1,8 | dispConvScale2 1,24 | dispConvScale3 1,40
"""
MONODEPTH2 = [(256, 512), (256, 512), (128, 256), (128, 256), (64, 128), (64, 128), (32, 64), (32, 96), (16, 32)]
MONODEPTH2 += [(16, 16), (1, 16), (1, 32), (1, 64), (1, 128)]
# Kernel, width inside, width out, width of squeeze-excitation (0: none) of blocks 1 to 15.
MOBILENET = [(3, 16, 16, 0), (3, 64, 24, 0), (3, 72, 24, 0), (5, 72, 40, 24), (5, 120, 40, 32), (5, 120, 40, 32)]
MOBILENET += [(3, 240, 80, 0), (3, 200, 80, 0), (3, 184, 80, 0), (3, 184, 80, 0), (3, 480, 112, 120)]
MOBILENET += [(3, 672, 112, 168), (5, 672, 160, 168), (5, 960, 160, 240), (5, 960, 160, 240)]


class Official:
    """Builds state dicts under the authors' names."""

    HR_DEPTH = HR_DEPTH
    LITE_HR_DEPTH = LITE_HR_DEPTH

    def __init__(self) -> None:
        self.random = torch.Generator().manual_seed(0)

    def normal(self, *shape):
        fan = max(1, torch.Size(shape[1:]).numel()) if len(shape) > 1 else 25
        return torch.randn(shape, generator=self.random) / fan**0.5

    def conv(self, name, outputs, inputs, kernel=3, bias=True):
        state = {name + ".weight": self.normal(outputs, inputs, kernel, kernel)}
        return state | ({name + ".bias": self.normal(outputs)} if bias else {})

    def norm(self, name, channels, running=True):
        state = {f"{name}.weight": 1 + self.normal(channels), f"{name}.bias": self.normal(channels)}
        if running:
            state[f"{name}.running_mean"] = self.normal(channels)
            state[f"{name}.running_var"] = 0.5 + torch.rand(channels, generator=self.random)
            state[f"{name}.num_batches_tracked"] = torch.tensor(1234)
        return state

    def resnet(self, depth=18, images=1):
        """encoder.pth (122 tensors for 18 layers), without height and width."""
        state = self.conv("conv1", 64, 3 * images, 7, bias=False) | self.norm("bn1", 64)
        grow, inputs = (1 if depth == 18 else 4), 64
        for stage, count in enumerate((2, 2, 2, 2) if depth == 18 else (3, 4, 6, 3)):
            width = 64 << stage
            for block in range(count):
                name = f"layer{stage + 1}.{block}."
                layers = [(width, inputs, 3), (width, width, 3)]
                if depth == 50:
                    layers = [(width, inputs, 1), (width, width, 3), (4 * width, width, 1)]
                for i, (outputs, before, kernel) in enumerate(layers, start=1):
                    state |= self.conv(f"{name}conv{i}", outputs, before, kernel, bias=False)
                    state |= self.norm(f"{name}bn{i}", outputs)
                if inputs != grow * width:
                    state |= self.conv(name + "downsample.0", grow * width, inputs, 1, bias=False)
                    state |= self.norm(name + "downsample.1", grow * width)
                inputs = grow * width
        state |= {"fc.weight": self.normal(1000, inputs), "fc.bias": self.normal(1000)}
        return {"encoder." + name: tensor for name, tensor in state.items()}

    def mobilenet(self):
        """encoder.pth of Lite-HR-Depth (302 tensors)."""
        state = self.conv("0.0", 16, 3, bias=False) | self.norm("0.1", 16)
        inputs = 16
        for index, (kernel, width, outputs, squeeze) in enumerate(MOBILENET, start=1):
            name, last = f"{index}.conv.", 4 if index == 1 else 7
            if index > 1:
                state |= self.conv(name + "0", width, inputs, 1, bias=False) | self.norm(name + "1", width)
            depthwise = 0 if index == 1 else 3
            state |= self.conv(f"{name}{depthwise}", width, 1, kernel, bias=False)
            state |= self.norm(f"{name}{depthwise + 1}", width)
            if squeeze:
                for place, (a, b) in {"5.fc.0": (squeeze, width), "5.fc.2": (width, squeeze)}.items():
                    state |= {f"{name}{place}.weight": self.normal(a, b), f"{name}{place}.bias": self.normal(a)}
            state |= self.conv(f"{name}{last}", outputs, width, 1, bias=False) | self.norm(f"{name}{last + 1}", outputs)
            inputs = outputs
        return {"encoder.features." + name: tensor for name, tensor in state.items()}

    def dense_decoder(self, table):
        """depth.pth of HR-Depth (142 tensors) and Lite-HR-Depth (136): every module by name and by number."""
        state = {}
        for number, row in enumerate(table.replace("\n", "|").replace("||", "|").strip("|").split("|")):
            name, shape = row.split()
            sizes = [int(size) for size in shape.split(",")]
            if "attention" in name:
                small, wide, outputs = sizes
                module = {"fc.0.weight": self.normal(small, wide), "fc.2.weight": self.normal(wide, small)}
                module |= self.conv("conv_se", outputs, wide, 1)
            elif "downsample" in name:
                module = self.conv("conv", sizes[0], sizes[1], 1, bias=False)
            else:
                module = self.conv("conv" if name.startswith("disp") else "conv.conv", *sizes)
            state |= {f"convs.{name}.{key}": tensor for key, tensor in module.items()}
            state |= {f"decoder.{number}.{key}": tensor for key, tensor in module.items()}
        return state

    def monodepth2_decoder(self, depth=18):
        """depth.pth of monodepth2 (28 tensors)."""
        state = {}
        above = {0: 2048, 1: 256 + 1024, 3: 128 + 512, 5: 64 + 256} if depth == 50 else {}
        for number, (outputs, inputs) in enumerate(MONODEPTH2):
            layer = "conv.conv" if number < 10 else "conv"
            state |= self.conv(f"decoder.{number}.{layer}", outputs, above.get(number, inputs))
        return state

    def pose_decoder(self, inputs=512):
        """pose.pth of monodepth2, for a pose encoder that gives so many channels."""
        layers = [(256, inputs, 1), (256, 256, 3), (256, 256, 3), (12, 256, 1)]
        state = {}
        for number, (outputs, inputs, kernel) in enumerate(layers):
            state |= self.conv(f"net.{number}", outputs, inputs, kernel)
        return state

    def posenet(self):
        """TRI's PoseNet (30 tensors)."""
        widths = [9, 16, 32, 64, 128, 256, 256, 256]
        state = self.conv("pose_pred", 12, 256, 1)
        for i, kernel in enumerate((7, 5, 3, 3, 3, 3, 3)):
            state |= self.conv(f"conv{i + 1}.0", widths[i + 1], widths[i], kernel)
            state |= self.norm(f"conv{i + 1}.1", widths[i + 1], running=False)
        return state

    def packnet(self):
        """PackNet01, version 1A (216 tensors)."""
        own, skips = (64, 64, 128, 256, 512), (64, 64, 64, 128, 256)
        state = self._packnet_conv("pre_calc", 64, 3, 5) | self._packnet_conv("conv1", 64, 64, 7)
        for i, width in enumerate(own):
            for block in range((0, 2, 2, 3, 3)[i]):
                name, inputs = f"conv{i + 1}.{block}.", own[i - 1] if block == 0 else width
                state |= self._packnet_conv(name + "conv1", width, inputs)
                state |= self._packnet_conv(name + "conv2", width, width)
                state |= self.conv(name + "conv3", width, inputs, 1) | self.norm(name + "normalize", width, False)
            state |= self._packnet_conv(f"pack{i + 1}.conv", width, 32 * width, 5 if i == 0 else 3)
            above = own[min(i + 1, 4)]
            state |= self._packnet_conv(f"unpack{i + 1}.conv", width // 2, above)
            for layer in (f"pack{i + 1}", f"unpack{i + 1}"):
                state |= {f"{layer}.conv3d.weight": self.normal(8, 1, 3, 3, 3), f"{layer}.conv3d.bias": self.normal(8)}
            state |= self._packnet_conv(f"iconv{i + 1}", width, width + skips[i] + (i < 3))
            if i < 4:
                state |= self.conv(f"disp{i + 1}_layer.conv1", 1, width)
        return state

    def _packnet_conv(self, name, outputs, inputs, kernel=3):
        return self.conv(name + ".conv_base", outputs, inputs, kernel) | self.norm(name + ".normalize", outputs, False)

    def folder(self, path, encoder, decoder, legacy=False, **extra):
        """Write a folder as the authors' trainer does."""
        path.mkdir(exist_ok=True)
        about = {"height": 64, "width": 96, "use_stereo": False} | extra
        for name, state in (("encoder", encoder | about), ("depth", decoder)):
            torch.save(state, path / f"{name}.pth", _use_new_zipfile_serialization=not legacy)
        return path

    def hr_depth(self, path, lite=False, **options):
        """A folder of HR-Depth or Lite-HR-Depth; returns it with its two state dicts."""
        encoder = self.mobilenet() if lite else self.resnet()
        decoder = self.dense_decoder(LITE_HR_DEPTH if lite else HR_DEPTH)
        return SimpleNamespace(
            path=self.folder(path, encoder, decoder, **options), encoder=encoder, decoder=decoder, lite=lite
        )

    def monodepth2(self, path, depth=18, **options):
        """A folder of monodepth2; returns it with its two state dicts."""
        encoder, decoder = self.resnet(depth), self.monodepth2_decoder(depth)
        return SimpleNamespace(path=self.folder(path, encoder, decoder, **options), encoder=encoder, decoder=decoder)


@pytest.fixture
def official() -> Official:
    """The builder of official files."""
    return Official()


@pytest.fixture(scope="module")
def official_for_module() -> Official:
    """The same for fixtures of a module."""
    return Official()
