# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Runs camera player, live node and listener as three processes, and collects what arrived."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_node.checkpoints.by_name import located
from depth_node.config.classes import ClassMap
from depth_node.config.demo import DemoConfig
from depth_node.demo.processes import isolated_environment, last_line, running, wait_for
from depth_node.errors import DemoError

IMAGE_TOPIC, INFO_TOPIC = "/camera/image_raw", "/camera/camera_info"
COMPRESSED_TOPIC = f"{IMAGE_TOPIC}/compressed"
START_SECONDS = 90.0
LISTENING = "listening"


@dataclass(frozen=True)
class DriveResult:
    """What a subscriber saw of one drive.

    Attributes:
        folder: where the listener kept depth images (depth/<stamp>.npy), label images (labels/<stamp>.npy) and clouds
            (clouds/<stamp>.npy).
        sent: frames that the camera published.
        stamps: stamps of the depth images that came, ns, ascending.
        clouds: number of clouds that came.
        intrinsics: (3, 3) of each depth image by stamp.
        delays: seconds from the camera's info to the depth image, in order of stamps.
        rate: depth images per second, first to last.
        compared: number of clouds that were compared with the depth and label images of their stamp.
        misfits: stamps of those that differ, ns.
        labelled: stamps of the label images that came, ns, ascending.
        classes: what labels stand for; None where the checkpoint has no semantic network.
    """

    folder: Path
    sent: int
    stamps: tuple[int, ...]
    clouds: int
    intrinsics: dict[int, NDArray[np.float64]]
    delays: NDArray[np.float64]
    rate: float
    compared: int
    misfits: tuple[int, ...]
    labelled: tuple[int, ...]
    classes: ClassMap | None

    def depth(self, stamp: int) -> NDArray[np.float32]:
        """The depth image of a stamp, (H, W) metres."""
        return np.asarray(np.load(self.folder / "depth" / f"{stamp}.npy"), np.float32)

    def labels(self, stamp: int) -> NDArray[np.uint8] | None:
        """The label image of a stamp, (H, W) class numbers; None where none came."""
        if stamp not in self.labelled:
            return None
        return np.asarray(np.load(self.folder / "labels" / f"{stamp}.npy"), np.uint8)


SUBSCRIPTIONS = "3"
"""The node's to image and calibration, and the listener's to the latter, by which it knows when a picture was sent."""


def drive(
    bag: Path, folder: Path, frames: int, config: DemoConfig, checkpoint: str = "", topic: str = IMAGE_TOPIC
) -> DriveResult:
    """Play a bag's camera through the live node; logs and arrivals go to `folder`.

    Args:
        bag: to play.
        folder: of logs and arrivals.
        frames: pictures in the bag.
        config: speed and device.
        checkpoint: name or file; empty takes the shipped one.
        topic: of the pictures in the bag.

    Raises:
        DemoError: a process failed or nothing arrived.
    """
    folder.mkdir(parents=True, exist_ok=True)
    environment = isolated_environment()
    remap = ["-r", f"image:={IMAGE_TOPIC}", "-r", f"camera_info:={INFO_TOPIC}"]
    # Measuring what else is installed would take longer than the demonstration.
    parameters = [f"device:={config.device}", "autostart:=true", "backend:=torch"]
    if checkpoint:
        parameters.append(f"checkpoint:={located(checkpoint).resolve()}")
    node_arguments = ["depth_node", "--ros-args", *remap, *(part for p in parameters for part in ("-p", p))]
    logs = {name: folder / f"{name}.log" for name in ("node", "listener", "player")}
    with (
        running("depth_node.ros.main", node_arguments, logs["node"], environment) as node,
        running(
            "depth_node.ros.output_listener", [str(folder), str(frames), INFO_TOPIC], logs["listener"], environment
        ) as listener,
    ):
        _wait_until_listening(logs, node, listener)
        player_arguments = ["play", str(bag), "--rate", str(config.rate), "--topic", topic, INFO_TOPIC]
        player_arguments += ["--subscribers", SUBSCRIPTIONS]
        with running("depth_node.cli.main", player_arguments, logs["player"], environment) as player:
            wait_for(player, START_SECONDS + frames / config.rate, "the camera player", logs["player"])
        wait_for(listener, START_SECONDS, "the listener", logs["listener"])
    return _read(folder, frames)


def _wait_until_listening(logs: dict[str, Path], node, listener) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + START_SECONDS
    while LISTENING not in logs["listener"].read_text():
        for name, child in (("node", node), ("listener", listener)):
            if child.poll() is not None:
                raise DemoError(f"the {name} ended at once: {last_line(logs[name])}")
        if time.monotonic() > deadline:
            raise DemoError(f"the live node did not come up within {START_SECONDS:.0f} s, see {logs['node']}")
        time.sleep(0.1)


def _read(folder: Path, frames: int) -> DriveResult:
    received = json.loads((folder / "received.json").read_text())
    camera, depth = received["camera"], received["depth"]
    stamps = tuple(sorted(int(stamp) for stamp in depth))
    if not stamps:
        raise DemoError(f"no depth image arrived, see the logs in {folder}")
    arrivals = [depth[str(stamp)] for stamp in stamps]
    span = arrivals[-1] - arrivals[0]
    return DriveResult(
        folder=folder,
        # The player has played them all. The listener may miss the first, which came before it and the player met.
        sent=frames,
        stamps=stamps,
        clouds=len(received["cloud"]),
        intrinsics={int(stamp): np.reshape(K, (3, 3)) for stamp, K in received["depth_info"].items()},
        delays=np.array([depth[str(stamp)] - camera[str(stamp)] for stamp in stamps if str(stamp) in camera]),
        rate=(len(stamps) - 1) / span if span > 0 else 0.0,
        compared=received["compared"],
        misfits=tuple(map(int, received["misfits"])),
        labelled=tuple(sorted(map(int, received["labels"]))),
        classes=ClassMap.of(received["classes"]) if received["classes"] else None,
    )
