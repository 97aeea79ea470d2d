# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The page of `depth view` in a real browser: Chromium without a screen, its WebGL computed by SwiftShader."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("rerun", reason="rerun is not installed: pip install 'depth_node[view]'")
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from depth_node.ros.messages import fill_image, pinhole_info

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    *("--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--ignore-gpu-blocklist", "--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--remote-debugging-pipe", "--window-size=900,700"),
)
PATIENCE = 400.0
PIPES = """
import os, sys
ends = [os.dup(int(number)) for number in sys.argv[1:3]]
for number, end in zip((3, 4), ends):
    os.dup2(end, number)
    os.set_inheritable(number, True)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Puts the pipes where Chromium looks for them, and becomes it."""
MAGENTA = np.array([230, 0, 230])
K = np.array([[80.0, 0, 47.5], [0, 80, 23.5], [0, 0, 1]])


class Browser:
    """A page, driven by Chrome's DevTools protocol: JSON that ends with a zero byte, over pipes as files 3 and 4."""

    def __init__(self, profile):
        in_read, self._write = os.pipe()
        self._read, out_write = os.pipe()
        command = [sys.executable, "-c", PIPES, str(in_read), str(out_write), CHROMIUM, *FLAGS]
        command += [f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            command, pass_fds=(in_read, out_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(in_read)
        os.close(out_write)
        self._count, self._unread, self._session = 0, b"", {}
        (page,) = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = {"sessionId": attached["sessionId"]}

    def call(self, method, **parameters):
        """The result of a command."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters, **self._session}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            while b"\0" in self._unread:
                answer, _, self._unread = self._unread.partition(b"\0")
                read = json.loads(answer)
                if read.get("id") == self._count:
                    return read["result"]
            if select.select([self._read], [], [], 0.5)[0]:
                self._unread += os.read(self._read, 1 << 20)
        pytest.fail(f"the browser does not answer {method}")

    def screenshot(self):
        """(H, W, 3) uint8 RGB."""
        png = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]

    def close(self):
        """End it."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self._process.kill()
        os.close(self._read)
        os.close(self._write)


@pytest.fixture
def browser(tmp_path):
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    made = Browser(tmp_path / "profile")
    yield made
    made.close()


def share(picture, color):
    """Share of pixels that have about this colour."""
    return float((np.abs(picture.astype(int) - color).max(-1) < 30).mean())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_picture_and_cloud_are_seen(start, listener, guided_checkpoint, browser):
    images = listener.node.create_publisher(Image, "/seen/image", 10)
    infos = listener.node.create_publisher(CameraInfo, "/seen/camera_info", 10)
    pixels = np.empty((48, 96, 3), np.uint8)
    pixels[:] = MAGENTA

    def send():
        header = Header(frame_id="camera_optical_frame")
        header.stamp.sec, header.stamp.nanosec = divmod(time.time_ns(), 10**9)
        infos.publish(pinhole_info(header, K, 96, 48))
        images.publish(fill_image(Image(), header, pixels, "rgb8"))
        listener.spin_for(1.0)

    arguments = ["-p", f"checkpoint:={guided_checkpoint}", "-p", "autostart:=true", "-r", "__ns:=/seen"]
    node = start("depth_node.ros.main", "depth_node", "--ros-args", *arguments)
    view = start("depth_node.cli.main", "view", "--no_browser", "--port", "19390", "--max_rate", "0.5")
    node.wait_for("active: images from")
    address = re.search(r"http\S+", view.wait_for("^open http")).group()
    assert listener.spin_until(lambda: send() or "showing seen" in view.lines)
    browser.call("Page.navigate", url=address)
    deadline, seen = time.monotonic() + PATIENCE, (0.0, 0.0)
    while time.monotonic() < deadline and min(seen) < 0.01:
        send()
        picture = browser.screenshot()
        split = int(0.42 * picture.shape[1])  # pictures on the left, the cloud on the right
        seen = share(picture[:, :split], MAGENTA), share(picture[:, split:], MAGENTA)
    assert min(seen) >= 0.01, seen
