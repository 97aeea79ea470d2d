# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rules of the house that a reader relies on: import direction, file size, one version, a complete installation."""

from __future__ import annotations

import ast
import os
import re
import runpy
import shutil
import subprocess
import sys
import xml.etree.ElementTree
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

import depth_node

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "depth_node"
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = MODULES + sorted(
    path for folder in ("test", "launch", "benchmarks", "experiments") for path in (ROOT / folder).rglob("*.py")
)

ROOMS = runpy.run_path(str(ROOT / "test/rooms.py"))
LEVELS: dict[str, int] = ROOMS["levels"]()
# Pairs that the levels would allow, but that would tie together what is to be used apart.
FORBIDDEN = {("inference", "losses"), ("losses", "datasets"), ("losses", "networks")}
ROS_PACKAGES = re.compile(
    r"(rclpy|\w+_(msgs|interfaces|srvs)|cv_bridge|sensor_msgs_py|tf_transformations|tf2_ros|launch|launch_ros)(\.|$)"
)
QUATERNIONS = PACKAGE / "sensing/quaternions.py"
BESIDE = ("launch", "config", "rviz", "foxglove", "resource", "scripts")
"""Folders that are installed beside the package."""
DRAWERS = re.compile(r"^_?(utils?|helpers?|common|misc)$")


def part_of(path: Path) -> str:
    """'config' for depth_node/config/setting.py, 'errors' for depth_node/errors.py, '' for depth_node/__init__.py."""
    first = path.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Absolute names imported by a file, each with whether the import stands at module level."""
    tree = ast.parse(path.read_text(), filename=str(path))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) not in inside
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write depth_node.…"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", id(node) not in inside


def uses() -> Iterator[tuple[str, str, Path]]:
    """Part, imported part and file of every import inside the package."""
    for path in MODULES:
        for name, _ in imports(path):
            if name.startswith("depth_node."):
                part, other = part_of(path), name.split(".")[1]
                if other in LEVELS and part != other:
                    yield part, other, path


def test_every_part_has_a_level():
    assert {part_of(path) for path in MODULES} - {""} <= set(LEVELS)


def test_readme_and_contributing_show_the_rooms():
    assert ROOMS["table"]() in (ROOT / "README.md").read_text()
    assert ROOMS["line"]() in " ".join((ROOT / "CONTRIBUTING.md").read_text().split())


def test_imports_go_down():
    wrong = [
        f"{path.relative_to(ROOT)} imports {other}"
        for part, other, path in uses()
        if part and (LEVELS[other] > LEVELS[part] or (part, other) in FORBIDDEN)
    ]
    assert not wrong


def test_parts_of_one_level_do_not_import_in_a_circle():
    edges = {(part, other) for part, other, _ in uses() if part and LEVELS[part] == LEVELS[other]}
    while edges:
        leaves = {other for _, other in edges} - {part for part, _ in edges}
        assert leaves, f"a circle among {edges}"
        edges = {edge for edge in edges if edge[1] not in leaves}


def test_the_package_itself_imports_nothing():
    assert list(imports(PACKAGE / "__init__.py")) == []


def test_only_ros_imports_ros():
    wrong = []
    for path in MODULES:
        for name, at_module_level in imports(path):
            allowed = part_of(path) == "ros" or (part_of(path) == "cli" and not at_module_level)
            # Plain mathematics, of which a ROS installation has the customary version. It imports no ROS itself.
            allowed |= path == QUATERNIONS and name.startswith("tf_transformations.") and not at_module_level
            if ROS_PACKAGES.match(name) and not allowed:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_importing_the_package_is_light():
    code = "import sys, depth_node; print(sorted({'torch', 'rclpy', 'numpy', 'cv2'} & set(sys.modules)))"
    assert run_python(code).strip() == "[]"


def test_importing_everything_outside_ros_loads_no_ros():
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if part_of(path) != "ros"
    ]
    code = f"import importlib, sys; [importlib.import_module(n) for n in {names}]; print('rclpy' in sys.modules)"
    assert run_python(code).strip() == "False"


def test_git_ignores_no_source():
    if not (ROOT / ".git").exists():
        pytest.skip("this copy is not a git repository")
    command = ["git", "check-ignore", "--", *map(str, SOURCES)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout == ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_readable(path):
    text = path.read_text()
    assert text.count("\n") < 400, "split it: 400 lines is the limit"
    assert not DRAWERS.match(path.stem), "name what is in it"
    ast.parse(text, feature_version=(3, 10))  # syntax of Python 3.10


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_names_its_licence(path):
    lines = path.read_text().splitlines()[:3]
    assert "# SPDX-License-Identifier: Apache-2.0" in lines


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_says_what_it_owns(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_one_version():
    version = depth_node.__version__
    assert xml.etree.ElementTree.parse(ROOT / "package.xml").findtext("version") == version
    headings = re.findall(r"^(\S+) \(\d{4}-\d{2}-\d{2}\)\n-+$", (ROOT / "CHANGELOG.rst").read_text(), re.MULTILINE)
    assert headings[0] == version


def test_the_readme_names_both_commands():
    readme = (ROOT / "README.md").read_text()
    assert "make demo" in readme
    assert "make test" in readme
    assert "make test" in (ROOT / ".ci/run").read_text()


@pytest.fixture(scope="module")
def setup_arguments():
    setuptools = pytest.importorskip("setuptools", reason="setuptools is not installed")
    captured: dict = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setattr(setuptools, "setup", lambda **arguments: captured.update(arguments))
        runpy.run_path(str(ROOT / "setup.py"))
    return captured


def test_every_file_to_install_is_listed(setup_arguments):
    listed = {file for _, files in setup_arguments["data_files"] for file in files}
    there = {str(path.relative_to(ROOT)) for folder in BESIDE for path in files_below(ROOT / folder)}
    assert there | {"package.xml"} == listed
    places = dict(setup_arguments["data_files"])
    assert places["share/ament_index/resource_index/packages"] == ["resource/depth_node"]
    assert places["share/depth_node"] == ["package.xml"]


def test_ros_finds_every_console_script(setup_arguments):
    names = {line.split("=")[0].strip() for line in setup_arguments["entry_points"]["console_scripts"]}
    assert {Path(file).name for file in dict(setup_arguments["data_files"])["lib/depth_node"]} == names
    assert all(os.access(ROOT / "scripts" / name, os.X_OK) for name in names)
    assert len({(ROOT / "scripts" / name).read_text() for name in names}) == 1


def test_a_ros_workspace_gets_every_requirement(setup_arguments):
    """From apt by package.xml, or by the README's lines for pip."""
    from_apt = dict.fromkeys(("numpy", "jinja2", "matplotlib", "rich", "transforms3d"))
    from_apt |= {"opencv-python-headless": "opencv", "pillow": "pil", "pyyaml": "yaml"}
    by_others = {"lz4", "backports.zstd", "filelock"}  # rosbags and torch bring them along
    keys = {key.text for key in xml.etree.ElementTree.parse(ROOT / "package.xml").iter("exec_depend")}
    assert {f"python3-{key or name}" for name, key in from_apt.items()} <= keys
    lines = re.findall(r"^pip install ([^#\n.]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    runtime, training = (
        {re.match(r"[\w.-]+", requirement)[0] for requirement in given}
        for given in (setup_arguments["install_requires"], setup_arguments["extras_require"]["train"])
    )
    assert [set(line.split()) for line in lines] == [runtime - set(from_apt) - by_others, training]


def test_what_runs_exported_networks_is_a_part_of_it_all(setup_arguments):
    """requirements-serve.txt has the bounds of setup.py, and nothing that brings PyTorch."""
    lines = (ROOT / "requirements-serve.txt").read_text().splitlines()
    serving = {line for line in lines if line and not line.startswith("#")}
    assert serving <= {*setup_arguments["install_requires"], *setup_arguments["extras_require"]["openvino"]}
    assert not {"torch", "torchvision", "timm", "safetensors"} & {re.split(r"\W", line)[0] for line in serving}


LIVE = """
import importlib.abc, sys
TRAINING = {names}
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in TRAINING:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)
sys.meta_path.insert(0, Absent())
{code}
"""
TRAINING = {"lightning", "tensorboard", "torchmetrics", "trimesh", "scipy", "embreex", "segmentation_models_pytorch"}


def test_the_live_half_needs_nothing_of_training():
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    code = "import depth_node.ros.live.node, depth_node.ros.recorder_node, depth_node.cli.predict; print('up')"
    assert run_python(LIVE.format(names=TRAINING, code=code)).strip() == "up"


def test_a_command_whose_packages_are_missing_says_so_on_one_line(tmp_path):
    arguments = ["simulate", "--output", str(tmp_path / "street")]
    code = f"from depth_node.cli.main import main; sys.stderr = sys.stdout; main({arguments})"
    printed = run_python(LIVE.format(names=TRAINING, code=code)).strip()
    assert re.fullmatch(r"depth simulate: .* module \w+ is not installed: pip install 'depth_node\[train\]'.*", printed)


def test_every_package_and_its_data_is_listed(setup_arguments):
    packages = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("__init__.py")}
    assert set(setup_arguments["packages"]) == packages
    patterns = setup_arguments["package_data"]["depth_node"]
    data = {path.relative_to(PACKAGE).as_posix() for path in files_below(PACKAGE) if path.suffix != ".py"}
    assert [name for name in data if not any(fnmatch(name, pattern) for pattern in patterns)] == []


def test_every_console_script_resolves(setup_arguments):
    for line in setup_arguments["entry_points"]["console_scripts"]:
        module, function = line.split("=")[1].strip().split(":")
        tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, line


@pytest.mark.slow
def test_a_wheel_holds_everything(tmp_path, setup_arguments):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "package.xml"):
        shutil.copy(ROOT / name, source)
    for name in ("depth_node", *BESIDE):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, "."]
    built = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    wanted = [str(path.relative_to(ROOT)) for path in files_below(PACKAGE)]
    for place, files in setup_arguments["data_files"]:
        wanted += [f".data/data/{place}/{Path(file).name}" for file in files]
    missing = [name for name in wanted if not any(installed.endswith(name) for installed in names)]
    assert missing == []
    assert not any("__pycache__" in name for name in names)


def files_below(folder: Path) -> list[Path]:
    """Every file of a folder except compiled Python."""
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def run_python(code: str) -> str:
    """Standard output of a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
