# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every transition from every state, asked for over DDS in random order, with errors on the way; and many cycles.

After each the node answers, is where it should be, and has let go of what it should have let go of.
"""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from depth_node.errors import CalibrationError
from depth_node.ros.live import camera_stream
from depth_node.ros.live.node import DepthNode

NEXT = {
    ("unconfigured", "configure"): "inactive",
    ("inactive", "activate"): "active",
    ("inactive", "cleanup"): "unconfigured",
    ("active", "deactivate"): "inactive",
}
STATES, TRANSITIONS = ("unconfigured", "inactive", "active"), ("configure", "activate", "deactivate", "cleanup")
FAULTS = {
    "a missing checkpoint": ("unconfigured", "configure", "unconfigured"),
    "a reported error": ("inactive", "activate", "inactive"),
    "an unexpected error": ("inactive", "activate", "unconfigured"),
}
STEPS = 70


class Walked:
    """A live node, and a client that asks it for transitions."""

    def __init__(self, ros, checkpoint):
        self.checkpoint = str(checkpoint)
        overrides = [Parameter(name, value=value) for name, value in self.settings().items()]
        self.live = DepthNode(namespace="walked", parameter_overrides=overrides)
        self.node = ros.create_node("manager", namespace="walked")
        self._executor = SingleThreadedExecutor()
        for each in (self.live, self.node):
            self._executor.add_node(each)
        self._change = self.node.create_client(ChangeState, "depth_node/change_state")
        self._get = self.node.create_client(GetState, "depth_node/get_state")
        for client in (self._change, self._get):
            assert client.wait_for_service(30.0)

    def settings(self):
        return {"checkpoint": self.checkpoint, "backend": "torch"}

    def _call(self, client, request):
        done = client.call_async(request)
        self._executor.spin_until_future_complete(done, timeout_sec=60.0)
        assert done.done(), "the node does not answer"
        return done.result()

    def ask(self, transition):
        request = ChangeState.Request()
        request.transition.label = transition
        return self._call(self._change, request).success

    def state(self):
        return self._call(self._get, GetState.Request()).current_state.label

    def set(self, **values):
        [result] = self.live.set_parameters([Parameter(name, value=value) for name, value in values.items()])
        assert result.successful

    def held(self):
        """What the node and this process hold, to be compared."""
        return {
            "threads": sorted(thread.name for thread in threading.enumerate()),
            "publishers": sorted(each.topic_name for each in self.live.publishers),
            "subscriptions": sorted(each.topic_name for each in self.live.subscriptions),
            "timers": len(list(self.live.timers)),
            "services": len(list(self.live.services)),
        }

    def close(self):
        self._executor.shutdown()
        self.live.destroy_node()
        self.node.destroy_node()


@pytest.fixture
def walked(ros, small_checkpoint):
    made = Walked(ros, small_checkpoint)
    yield made
    made.close()


def fail(walked, monkeypatch, fault, transition):
    """Ask for a transition that must not succeed; returns whether it did."""
    if fault == "a missing checkpoint":
        walked.set(checkpoint="/nowhere.safetensors")
        succeeded = walked.ask(transition)
        walked.set(checkpoint=walked.checkpoint)
        return succeeded
    error = CalibrationError("no camera") if fault == "a reported error" else RuntimeError("out of memory")

    def break_down(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(camera_stream, "CameraInput", break_down)  # when the worker runs already
        return walked.ask(transition)


def test_a_random_walk_over_all_transitions_leaks_nothing(walked, monkeypatch):
    draw, state, walks, faults = random.Random(0), "unconfigured", set(), set()
    before = {}
    for _ in range(STEPS):
        possible = [name for name, (where, *_) in FAULTS.items() if where == state]
        if possible and draw.random() < 0.25:
            fault = draw.choice(possible)
            faults.add(fault)
            _, transition, wanted = FAULTS[fault]
            assert not fail(walked, monkeypatch, fault, transition)
        else:
            transition = draw.choice(TRANSITIONS)
            walks.add((state, transition))
            wanted = NEXT.get((state, transition), state)
            assert walked.ask(transition) is ((state, transition) in NEXT)
        state = walked.state()
        assert state == wanted
        held = walked.held()
        if state == "active":
            del held["subscriptions"]  # they come and go with who wants depth
        assert before.setdefault(state, held) == held, f"after {transition} when {state}"
    assert walks == {(state, transition) for state in STATES for transition in TRANSITIONS}
    assert faults == set(FAULTS)


@pytest.mark.parametrize("last", STATES)
def test_it_can_be_shut_down_from_every_state(walked, last):
    before = walked.held()
    for transition in ("configure", "activate")[: STATES.index(last)]:
        assert walked.ask(transition)
    assert walked.ask("shutdown")
    assert walked.state() == "finalized"
    assert walked.held() == before
    assert not any(walked.ask(transition) for transition in TRANSITIONS)


def test_cycles_keep_no_thread_file_or_publisher(walked):
    def cycle():
        for name in TRANSITIONS:
            done = getattr(walked.live, f"trigger_{name}")()
            assert done == TransitionCallbackReturn.SUCCESS
        system = {name: len(list(Path(f"/proc/self/{name}").iterdir())) for name in ("task", "fd")}
        return walked.held() | system

    if not Path("/proc/self/task").is_dir():
        pytest.skip("threads and files of a process are counted in /proc, which is not here")
    for _ in range(3):  # what is made once is made now
        cycle()
    counts = [cycle() for _ in range(24)]
    assert all(count == counts[0] for count in counts)
