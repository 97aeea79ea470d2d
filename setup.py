# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Installs depth_node with colcon (ament_python) and with pip alike; package.xml holds the version."""

import re
from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

NAME = "depth_node"
HERE = Path(__file__).parent
VERSION = re.findall(r"<version>(.+?)</version>", (HERE / "package.xml").read_text())[0]

RUNTIME = [
    "numpy>=1.24",
    "opencv-python-headless>=4.6",
    "pillow",
    "pyyaml",
    "torch>=2.4",
    "torchvision",
    "timm>=1.0",
    "segmentation-models-pytorch>=0.5",
    "safetensors>=0.4",
    "jinja2>=3",
    "rich>=13",
    "filelock",
    "matplotlib>=3.7",
    "rosbags>=0.11,<0.12",
    "lz4",
    "backports.zstd; python_version < '3.14'",
    "transforms3d",
]
TRAINING = ["lightning>=2.6", "tensorboard", "torchmetrics>=1.0", "trimesh>=4", "scipy", "embreex>=2.17.7"]
"""What training and the simulated street need beyond the live node and the recorder."""
WHEELS = ("ros-rclpy", "ros-rmw-fastrtps-cpp", "ros-common-interfaces")
KILTED = [f"{wheel}{version}" for wheel, version in zip(WHEELS, (">=9,<10", ">=9,<10", ">=5.5,<5.6"), strict=True)]
JAZZY = [f"{wheel}{version}" for wheel, version in zip(WHEELS, (">=7.1,<7.2", ">=8.4,<8.5", ">=5.3,<5.4"), strict=True)]
TEACHERS = ["transformers>=5", "onnxruntime"]
"""Models of the hub, and ONNX files, to distil from."""
EXPORT = ["onnx", "onnxscript", "onnxruntime"]
OPENVINO = ["openvino>=2025.0"]
"""What makes the live network fast on a CPU."""
VIEW = ["rerun-sdk>=0.41; python_version >= '3.11'"]
"""What shows a running graph in a browser."""
CHECKS = ["ruff", "mypy", "types-PyYAML", "flake8", "ros-ament-flake8"]
PYTEST = ["pytest", "pytest-cov", "pytest-timeout", "pytest-xdist"]
TEST = [*TRAINING, *EXPORT, *TEACHERS, *CHECKS, *PYTEST, "setuptools", "wheel", "pykitti"]

setup(
    name=NAME,
    version=VERSION,
    description="Metric depth images and point clouds from one camera, for ROS 2",
    license="Apache-2.0",
    packages=find_packages(include=[NAME, NAME + ".*"]),
    package_data={NAME: ["py.typed", "weights/*", "ros/*.xml", "demo/clip/*.md", "demo/clip/highway/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + NAME]),
        ("share/" + NAME, ["package.xml"]),
        ("lib/" + NAME, sorted(glob("scripts/*"))),
        ("share/" + NAME + "/launch", glob("launch/*.launch.py")),
        ("share/" + NAME + "/config", glob("config/*.yaml")),
        ("share/" + NAME + "/config/recipes", glob("config/recipes/*.yaml")),
        ("share/" + NAME + "/rviz", glob("rviz/*.rviz")),
        ("share/" + NAME + "/foxglove", glob("foxglove/*.json")),
    ],
    python_requires=">=3.10",
    install_requires=RUNTIME,
    extras_require={
        "ros": KILTED,
        "ros-kilted": KILTED,
        "ros-jazzy": JAZZY,
        "train": TRAINING,
        "export": EXPORT,
        "teachers": TEACHERS,
        "openvino": OPENVINO,
        "view": VIEW,
        "test": TEST,
    },
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "depth = depth_node.cli.main:main",
            "depth_node = depth_node.ros.main:depth_node",
            "recorder_node = depth_node.ros.main:recorder_node",
        ]
    },
)
