# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""PackNet01: parameters and cost to the digit (docs/papers.md, PackNet), blocks against their definitions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from depth_node.networks.packnet import PackNetDecoder, PackNetEncoder
from depth_node.networks.packnet_layers import ConvNormElu, FloatGroupNorm, Pack, PackNetHead, ResidualConv, Unpack


def parameters(module):
    return sum(p.numel() for p in module.parameters())


class Halves(nn.Module):
    """Encoder and decoder joined."""

    def __init__(self):
        super().__init__()
        self.encoder = PackNetEncoder()
        self.decoder = PackNetDecoder(self.encoder.channels)

    def forward(self, image, scales=4):
        return self.decoder(self.encoder(image), scales)


@pytest.fixture(scope="module")
def sized():
    """The network without memory for its weights: sizes and cost only, within a second."""
    with FakeTensorMode() as sizes_only:
        return sizes_only, Halves()


def test_parameters_are_the_authors(sized):
    _, network = sized
    assert parameters(network) == 128_294_020
    assert len(network.state_dict()) == 216


def test_the_heavy_parts_weigh_what_the_authors_do(sized):
    _, network = sized
    millions = {f"pack{i + 1}": parameters(pack) / 1e6 for i, pack in enumerate(network.encoder.packs)}
    assert millions == pytest.approx(
        {"pack1": 3.28, "pack2": 1.18, "pack3": 4.72, "pack4": 18.88, "pack5": 75.50}, abs=0.005
    )
    assert parameters(network.encoder.stages[4]) / 1e6 == pytest.approx(13.65, abs=0.005)
    assert parameters(network.encoder.stages[3]) / 1e6 == pytest.approx(3.41, abs=0.005)
    assert parameters(network.decoder.merge[4]) / 1e6 == pytest.approx(3.54, abs=0.005)


def test_cost_at_640x192(sized):
    """Thousand millions of multiply-accumulates."""
    sizes_only, network = sized
    with sizes_only, torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, 192, 640))
    assert counter.get_total_flops() / 2e9 == pytest.approx(205.0, rel=0.01)


def test_maps_and_disparities_have_the_sizes_of_the_table(sized):
    sizes_only, network = sized
    with sizes_only:
        maps = network.encoder(torch.zeros(2, 3, 64, 96))
        disparities = {scales: network.decoder(maps, scales) for scales in (1, 2, 3, 4)}
    assert [tuple(m.shape[1:]) for m in maps] == [
        (64, 64, 96),
        (64, 32, 48),
        (64, 16, 24),
        (128, 8, 12),
        (256, 4, 6),
        (512, 2, 3),
    ]
    for scales, finest in disparities.items():
        assert [tuple(d.shape) for d in finest] == [(2, 1, 64 >> i, 96 >> i) for i in range(scales)]


def test_features_can_be_refined_at_every_level(sized):
    sizes_only, network = sized
    seen = {}

    def refine(level, features):
        seen[level] = (features.shape[1], tuple(features.shape[2:]))
        return features

    with sizes_only:
        network.decoder(network.encoder(torch.zeros(1, 3, 64, 96)), refine=refine)
    widths = network.decoder.level_channels
    assert widths == (64, 64, 128, 256, 512)
    assert seen == {level: (widths[level], (64 >> level, 96 >> level)) for level in range(5)}


@pytest.fixture
def decoder():
    """A narrow decoder with its maps: the same class, quick enough to compute with."""
    torch.manual_seed(0)
    channels = (32, 32, 32, 32, 64, 64)
    maps = [torch.randn(1, c, 64 >> i, 32 >> i) for i, c in enumerate(channels)]
    return PackNetDecoder(channels).eval(), maps


def test_what_refine_returns_goes_on_to_heads_and_finer_levels(decoder):
    decoder, maps = decoder
    with torch.no_grad():
        plain = decoder(maps)
        for touched in range(5):
            refined = decoder(maps, refine=lambda level, x, at=touched: x + 1 if level == at else x)
            changed = [not torch.equal(a, b) for a, b in zip(plain, refined, strict=True)]
            assert changed == [level <= touched for level in range(4)]


def test_levels_build_on_the_coarser_inverse_depth(decoder):
    """Twice the disparity, as the authors' depth at disparity 1 is 0.5."""
    decoder, maps = decoder
    joined = {}
    for level, merge in enumerate(decoder.merge):
        merge.register_forward_pre_hook(lambda m, inputs, level=level: joined.__setitem__(level, inputs[0]))
    with torch.no_grad():
        disparities = decoder(maps)
    for level in (0, 1, 2):
        expected = 2 * disparities[level + 1].repeat_interleave(2, 2).repeat_interleave(2, 3)
        torch.testing.assert_close(joined[level][:, -1:], expected)
    for level in (3, 4):
        torch.testing.assert_close(joined[level][:, -maps[level].shape[1] :], maps[level])


def test_fewer_scales_are_the_finest_ones(decoder):
    decoder, maps = decoder
    with torch.no_grad():
        whole = decoder(maps)
        for scales in (1, 3):
            assert all(torch.equal(a, b) for a, b in zip(decoder(maps, scales), whole[:scales], strict=True))


def test_every_parameter_of_the_decoder_learns(decoder):
    decoder, maps = decoder
    decoder(maps, 1)[0].sum().backward()
    assert [name for name, p in decoder.named_parameters() if p.grad is None] == []


def test_packing_keeps_channels_together():
    """Sub-pixels of one channel become neighbouring channels: row by row, as pixel shuffling undoes it."""
    pack = Pack(16).eval()
    features = torch.randn(1, 16, 4, 6)
    packed = torch.stack([features[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)], 2).flatten(1, 2)
    with torch.no_grad():
        mixed = F.conv3d(packed[:, None], pack.mix.weight, pack.mix.bias, padding=1).reshape(1, 8 * 64, 2, 3)
        torch.testing.assert_close(pack(features), pack.reduce(mixed))


def test_unpacking_is_a_convolution_then_a_3d_one_then_pixel_shuffling():
    unpack = Unpack(16, 32).eval()
    features = torch.randn(1, 16, 2, 3)
    with torch.no_grad():
        reduced = unpack.reduce(features)
        assert reduced.shape == (1, 16, 2, 3)
        mixed = F.conv3d(reduced[:, None], unpack.mix.weight, unpack.mix.bias, padding=1).reshape(1, 128, 2, 3)
        out = unpack(features)
    assert out.shape == (1, 32, 4, 6)
    for row in (0, 1):
        for column in (0, 1):
            torch.testing.assert_close(out[:, :, row::2, column::2], mixed[:, 2 * row + column :: 4])


def test_a_residual_block_is_its_definition():
    block = ResidualConv(16, 32)
    features = torch.randn(2, 16, 5, 4)
    with torch.no_grad():
        total = block.second(block.first(features)) + block.shortcut(features)
        torch.testing.assert_close(block(features), F.elu(F.group_norm(total, 16)))


def test_borders_are_zero():
    block, head = ConvNormElu(16, 16), PackNetHead(1)
    assert block[0].padding_mode == head.conv.padding_mode == "zeros"
    with torch.no_grad():
        head.conv.weight.zero_()[0, 0, 1, 0] = 1.0  # the left neighbour
        logits = torch.logit(head(torch.tensor([[[[1.0, 2.0, 3.0]]]])))
    torch.testing.assert_close(logits[0, 0], torch.tensor([[0.0, 1.0, 2.0]]))


def test_half_precision_features_are_normalised_in_float32():
    torch.manual_seed(0)
    norm = FloatGroupNorm(32)
    features = torch.randn(1, 32, 8, 8) + 100
    half = norm(features.to(torch.bfloat16))
    assert half.dtype == torch.bfloat16
    expected = norm(features.to(torch.bfloat16).float())
    torch.testing.assert_close(half, expected.to(torch.bfloat16))


def test_memory_layout_does_not_matter(decoder):
    decoder, maps = decoder
    pack = Pack(32).eval()
    with torch.no_grad():
        plain, packed = decoder(maps), pack(maps[0])
        for module in [*decoder.modules(), *pack.modules()]:
            if isinstance(module, nn.Conv2d):
                module.to(memory_format=torch.channels_last)
        last = [m.contiguous(memory_format=torch.channels_last) for m in maps]
        # Another layout is another order of summation, and group norm divides by what may be small: some hundred
        # roundings of the largest value. A wrong layout mixes channels and is off by the values themselves.
        for a, b in [(pack(last[0]), packed), *zip(decoder(last), plain, strict=True)]:
            assert float((a - b).abs().max()) < 1e-4 * float(b.abs().max())


def test_half_precision_convolutions_give_nearly_the_same(decoder):
    decoder, maps = decoder
    heads = {head.conv for head in decoder.heads}
    with torch.no_grad():
        plain = decoder(maps)
        for module in decoder.modules():
            if isinstance(module, (nn.Conv2d, nn.Conv3d)) and module not in heads:
                module.to(torch.bfloat16)
        half = decoder([m.to(torch.bfloat16) for m in maps])
    for a, b in zip(half, plain, strict=True):
        assert a.dtype == torch.float32
        assert (a - b).abs().max() < 0.02
