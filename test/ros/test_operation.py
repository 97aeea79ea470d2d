# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A live node that is paused, and one whose clock and stamps go back as when a bag is played again."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import SetBool

from depth_node.ros.messages import fill_image, pinhole_info, stamp_ns

HEIGHT, WIDTH = 48, 96
K = np.array([[80.0, 0, 47.5], [0, 80, 23.5], [0, 0, 1]])


class Robot:
    """Camera, clock and subscriber of a live node in a namespace of its own."""

    def __init__(self, start, listener, checkpoint, namespace, *parameters):
        given = [word for each in (f"checkpoint:={checkpoint}", *parameters) for word in ("-p", each)]
        self.program = start("depth_node.ros.main", "depth_node", "--ros-args", "-r", f"__ns:=/{namespace}", *given)
        self.program.wait_for(f"active: images from '/{namespace}/image'")
        self.listener, self.name = listener, f"{namespace}/depth_node"
        node = listener.node
        self._images = node.create_publisher(Image, f"{namespace}/image", 10)
        self._infos = node.create_publisher(CameraInfo, f"{namespace}/camera_info", 10)
        self.clock = node.create_publisher(Clock, "/clock", 10)
        self._topic = f"{namespace}/depth/image_rect"
        listener.subscribe(Image, self._topic)
        listener.subscribe(DiagnosticArray, "/diagnostics")
        assert listener.spin_until(lambda: self._images.get_subscription_count() and node.count_publishers(self._topic))
        self._pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)

    def send(self, stamp_ns, tick=False):
        image = Image()
        image.header.stamp.sec, image.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        if tick:
            self.clock.publish(Clock(clock=image.header.stamp))
        self._infos.publish(pinhole_info(image.header, K, WIDTH, HEIGHT))
        self._images.publish(fill_image(image, image.header, self._pixels, "rgb8"))

    def stamps(self):
        """Stamps of the depth images so far, ns."""
        return [stamp_ns(message.header) for message in self.listener.received[self._topic]]

    def send_until_depth(self, first_ns, tick=False):
        """Send five pictures a second until one of them has led to depth."""
        before = len(self.stamps())
        for number in range(300):
            self.send(first_ns + number * 200_000_000, tick)
            self.listener.spin_for(0.2)
            found = self.stamps()[before:]
            if any(first_ns <= stamp <= first_ns + number * 200_000_000 for stamp in found):
                return
        pytest.fail(f"no depth from {first_ns} on:\n{self.program.output}")

    def status(self):
        """The node's last status."""
        found = [a.status[0] for a in self.listener.received["/diagnostics"] if a.status[0].name == self.name]
        return found[-1] if found else DiagnosticStatus()

    def value(self, key):
        """Of the last status, as a number."""
        return float({each.key: each.value for each in self.status().values}.get(key, "0"))


def test_a_paused_node_makes_nothing_and_goes_on_at_once(start, listener, small_checkpoint):
    """By the service, then by the parameter behind it."""
    robot = Robot(start, listener, small_checkpoint, "paused")
    service = listener.node.create_client(SetBool, f"{robot.name}/enable")
    client = AsyncParameterClient(listener.node, f"/{robot.name}")
    assert listener.spin_until(lambda: service.service_is_ready() and client.services_are_ready())

    def by_service(on):
        done = service.call_async(SetBool.Request(data=on))
        assert listener.spin_until(done.done)
        return done.result().success

    def by_parameter(on):
        done = client.set_parameters([Parameter("enabled", value=on)])
        assert listener.spin_until(done.done)
        return done.result().results[0].successful

    for number, enable in enumerate((by_service, by_parameter)):
        now = time.time_ns() + 1000 * 10**9 * number
        robot.send_until_depth(now)
        assert enable(False)
        listener.spin_for(1.0)  # what was on its way when the answer came
        before, dropped = len(robot.stamps()), robot.value("dropped: disabled")
        for image in range(8):
            robot.send(now + (1000 + image) * 100_000_000)
            listener.spin_for(0.1)
        assert listener.spin_until(lambda: robot.status().message.startswith("disabled: "))
        assert robot.status().level == DiagnosticStatus.OK
        assert listener.spin_until(lambda dropped=dropped: robot.value("dropped: disabled") >= dropped + 8)
        assert len(robot.stamps()) == before
        assert enable(True)
        first = now + 200 * 10**9
        robot.send(first)  # the very next image, and nothing of before
        assert listener.spin_until(lambda before=before: robot.stamps()[before:])
        assert robot.stamps()[before:] == [first]
    listener.spin_for(2.5)
    drops = [each for each in robot.status().values if each.key.startswith("dropped: ")]
    account = robot.value("images published") + sum(float(each.value) for each in drops)
    assert account == robot.value("images received") >= 20


def test_a_bag_played_again_goes_on_giving_depth(start, listener, small_checkpoint):
    """Clock and stamps go back by an hour and more: no frame is taken for old, none fails."""
    parameters = ("use_sim_time:=true", "max_age:=5.0")
    robot = Robot(start, listener, small_checkpoint, "again", *parameters)
    for beginning in (7000, 7100, 1000, 1000):
        robot.send_until_depth(beginning * 10**9, tick=True)
        listener.spin_for(0.5)
    assert "frame failed" not in robot.program.output
    # Of another clock than the node's: too old, which is said, and no failure either.
    before = len(robot.stamps())
    deadline = time.monotonic() + 100
    while not robot.value("dropped: older than max_age"):
        assert time.monotonic() < deadline
        robot.send(10 * 10**9)
        listener.spin_for(0.2)
    assert len(robot.stamps()) == before
