# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The named recipes against the papers (docs/papers.md, Training settings), each number written here a second time."""

from __future__ import annotations

import pytest

from depth_node.config.network import NetworkConfig
from depth_node.config.recipes import describe_recipes, read_settings_file, recipes
from depth_node.config.setting import build, settings, values
from depth_node.config.training import TrainConfig
from depth_node.errors import ConfigError

PHOTOMETRIC = {
    "loss.ssim": 0.85,
    "loss.ssim_c1": 0.01**2,
    "loss.ssim_c2": 0.03**2,
    "loss.sources": "minimum",
    "loss.auto_mask": True,
    "loss.scales": 4,
    "loss.smoothness": 1e-3,
    "loss.smoothness_falloff": 2.0,
    "loss.mask_moving": False,
    "loss.velocity": 0.0,
    "augment.flip": 0.5,
    "augment.brightness": 0.2,
    "augment.contrast": 0.2,
    "augment.saturation": 0.2,
    "network.width": 640,
    "network.height": 192,
    "clip_gradient": 0.0,
    "ema": 0.0,
    "stereo": False,
}
MONODEPTH2 = PHOTOMETRIC | {
    "loss.tie_break": 1e-5,
    "loss.padding": "border",
    "loss.upsampling": "bilinear",
    "loss.smoothness_of": "disparity",
    "loss.smoothness_size": "own",
    "augment.flip_depth_only": False,
    "augment.jitter": 0.5,
    "augment.hue": 0.1,
    "batch_size": 12,
    "epochs": 20,
    "learning_rate": 1e-4,
    "pose_learning_rate": 0.0,
    "decay_at": 15 / 20,
    "decay_factor": 0.1,
    "decay_repeats": False,
    "pretrained": True,
    "network.pose": "pose_resnet18",
    "network.min_depth": 0.1,
    "network.max_depth": 100.0,
    "network.guided": False,
}
TRI = PHOTOMETRIC | {
    "loss.tie_break": 0.0,
    "loss.padding": "zeros",
    "loss.upsampling": "nearest",
    "loss.smoothness_of": "inverse_depth",
    "loss.smoothness_size": "full",
    "augment.flip_depth_only": True,
    "augment.jitter": 1.0,
    "augment.hue": 0.05,
    "batch_size": 4,
    "epochs": 100,
    "learning_rate": 2e-4,
    "pose_learning_rate": 5e-4,
    "decay_at": 40 / 100,
    "decay_factor": 0.5,
    "decay_repeats": True,
    "seed": 42,
    "network.pose": "posenet",
    "network.guided": True,
    "network.guidance.levels": "0,1,2,3,4",
    "network.guidance.kernel": 3,
}
RESNET = {"pretrained": True, "network.min_depth": 0.1, "network.max_depth": 100.0}
EXPECTED = {
    "monodepth2": MONODEPTH2 | {"network.architecture": "monodepth2_resnet18"},
    "hr_depth": MONODEPTH2 | {"network.architecture": "hr_depth_resnet18"},
    "lite_hr_depth": MONODEPTH2 | {"network.architecture": "lite_hr_depth"},
    "tri_resnet18": TRI | RESNET | {"network.architecture": "monodepth2_resnet18"},
    "tri_resnet50": TRI | RESNET | {"network.architecture": "monodepth2_resnet50"},
    "tri_packnet": TRI
    | {
        "pretrained": False,
        "network.architecture": "packnet01",
        "network.min_depth": 0.5,
        "network.max_depth": 1e6,
    },
}


def built(given):
    """Every setting of a run after a settings file."""
    network = {name.removeprefix("network."): value for name, value in given.items() if name.startswith("network.")}
    training = {name: value for name, value in given.items() if not name.startswith("network.")}
    described = {f"network.{name}": value for name, value in values(build(NetworkConfig, network)).items()}
    return described | values(build(TrainConfig, training))


def test_every_recipe_is_held_to_numbers():
    assert recipes().keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recipe_has_the_papers_values(name):
    full = built(read_settings_file(name))
    assert {key: full[key] for key in EXPECTED[name]} == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recipe_states_its_losses_and_augmentation_itself(name):
    # A default that changes must not change a recipe.
    given = read_settings_file(name)
    ours = {"loss.mask_moving", "loss.velocity", "loss.camera_height", "loss.zoom", "augment.zoom"}
    stated = {named.name for named in settings(TrainConfig) if named.name.startswith(("loss.", "augment."))} - ours
    assert stated <= given.keys()
    assert {"learning_rate", "decay_at", "decay_factor", "decay_repeats", "epochs", "batch_size"} <= given.keys()


def test_what_a_run_does_by_default_is_monodepth2s_recipe():
    defaults = built({})
    lite = EXPECTED["lite_hr_depth"]
    assert {key: defaults[key] for key in lite} == lite


def test_every_recipe_is_described():
    lines = describe_recipes().splitlines()
    assert [line.split()[0] for line in lines] == sorted(EXPECTED)
    assert all(len(line.split()) > 5 for line in lines)


def test_nested_and_dotted_names_mean_the_same(tmp_path):
    (tmp_path / "nested.yaml").write_text("network:\n  guidance:\n    kernel: 5\nsteps: 3\n")
    (tmp_path / "dotted.yaml").write_text("network.guidance.kernel: 5\nsteps: 3\n")
    expected = {"network.guidance.kernel": 5, "steps": 3}
    for name in ("nested", "dotted"):
        assert read_settings_file(str(tmp_path / f"{name}.yaml")) == expected


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("hrdepth", "no recipe and no file 'hrdepth': did you mean 'hr_depth'"),
        ("zebra", "recipes are: hr_depth, lite_hr_depth, monodepth2"),
        ("missing.yaml", "cannot read settings file missing.yaml"),
    ],
)
def test_a_file_that_is_not_there(source, says):
    with pytest.raises(ConfigError, match=says):
        read_settings_file(source)
