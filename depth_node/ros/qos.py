# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of service: subscribe with what the publishers offer, as `ros2 bag record` does, and name who cannot match.

Best effort hears every publisher, but over Fast DDS's default shared memory (512 KiB) it loses most messages above
1 MB, while reliable receives them all. Reliable hears no best-effort publisher. So: reliable when all of them are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

INPUT_DEPTH = 5
"""Samples the middleware keeps: a large reliable sample is resent in parts and must outlive its successor's arrival."""


def input_profile(publishers: Sequence[TopicEndpointInfo], *, may_latch: bool = False) -> QoSProfile:
    """The profile that hears all publishers of a topic and loses least.

    Args:
        publishers: what the graph knows; empty gives best effort.
        may_latch: ask for the last message sent before we came, where every publisher keeps it.
    """
    reliable = bool(publishers) and all(p.qos_profile.reliability == ReliabilityPolicy.RELIABLE for p in publishers)
    latched = bool(publishers) and all(p.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in publishers)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=INPUT_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if may_latch and latched else DurabilityPolicy.VOLATILE,
    )


def output_profile(is_small: bool) -> QoSProfile:
    """Reliable, which every subscriber can match; lighter choices by `qos_overrides` parameters.

    A small message can be pushed out of shared memory by a large one and is sent again only with a later heartbeat
    (3 s at most): it must be kept as long.
    """
    return QoSProfile(depth=100 if is_small else 10, reliability=ReliabilityPolicy.RELIABLE)


def latched_profile() -> QoSProfile:
    """For what stays as it is: whoever subscribes later gets it too."""
    return QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def overridable() -> QoSOverridingOptions:
    """Let parameters `qos_overrides.<topic>.publisher.{history,depth,reliability}` change an output."""
    return QoSOverridingOptions.with_default_policies()


def override_names(topics: Sequence[str]) -> list[str]:
    """The parameter names that `overridable` declares for publishers of fully resolved topics."""
    policies = [policy.name.lower() for policy in overridable().policy_kinds]
    return [f"qos_overrides.{topic}.publisher.{policy}" for topic in topics for policy in policies]


def endpoint_name(endpoint: TopicEndpointInfo) -> str:
    """Full name of the node behind an endpoint."""
    return f"{endpoint.node_namespace.rstrip('/')}/{endpoint.node_name}"


class MatchedSubscription:
    """A subscription whose reliability and durability follow the publishers that are there.

    `poll` must be called from the executor's thread, a few times a second.
    """

    def __init__(
        self, node: Node, kind: type, topic: str, callback: Callable[[Any], None], *, may_latch: bool = False
    ) -> None:
        self._node, self._kind, self.topic, self._callback = node, kind, topic, callback
        self._may_latch = may_latch
        self._warned: set[tuple[Any, ...]] = set()
        self.publishers: list[str] = []
        self._profile = self._wanted()
        self._subscription: Subscription[Any] | None = None
        self._subscribe()

    @property
    def reliability(self) -> str:
        """'reliable' or 'best effort'."""
        return self._profile.reliability.name.lower().replace("_", " ")

    def poll(self, is_wanted: bool = True) -> None:
        """Look at the graph; subscribe anew where the publishers want another profile.

        Args:
            is_wanted: whether messages are; no subscription is kept while they are not.
        """
        before, self._profile = self._profile, self._wanted()
        changed = (before.reliability, before.durability) != (self._profile.reliability, self._profile.durability)
        if changed or not is_wanted:
            self.close()
        if is_wanted and self._subscription is None:
            self._subscribe()
            if changed:
                self._node.get_logger().info(
                    f"subscribed to '{self.topic}' {self.reliability}, as its publisher offers"
                )

    @property
    def is_open(self) -> bool:
        """Whether there is a subscription at present."""
        return self._subscription is not None

    def close(self) -> None:
        """Unsubscribe."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def _subscribe(self) -> None:
        self._subscription = self._node.create_subscription(self._kind, self.topic, self._callback, self._profile)

    def _wanted(self) -> QoSProfile:
        found = self._node.get_publishers_info_by_topic(self.topic)
        usable = [publisher for publisher in found if self._has_right_type(publisher)]
        self.publishers = sorted(endpoint_name(publisher) for publisher in usable)
        if not usable and hasattr(self, "_profile"):
            return self._profile  # a camera that restarts most likely comes back as it was
        return input_profile(usable, may_latch=self._may_latch)

    def _has_right_type(self, publisher: TopicEndpointInfo) -> bool:
        wanted = f"{self._kind.__module__.split('.')[0]}/msg/{self._kind.__name__}"
        if publisher.topic_type == wanted:
            return True
        self._warn_once(
            publisher,
            f"'{endpoint_name(publisher)}' publishes {publisher.topic_type} on '{self.topic}', but {wanted} is needed: "
            "check the remapping and the parameter image_transport",
        )
        return False

    def _warn_once(self, endpoint: TopicEndpointInfo, line: str) -> None:
        key = tuple(endpoint.endpoint_gid)
        if key not in self._warned:
            self._warned.add(key)
            self._node.get_logger().warning(line)


def incompatible_subscribers(node: Node, topic: str) -> list[tuple[str, str]]:
    """Nodes that listen to a topic of `node` but cannot be served, each with the reason in rclpy's words."""
    # As the graph sees our publisher: its own profile leaves out what the middleware has decided.
    own = [p for p in node.get_publishers_info_by_topic(topic) if endpoint_name(p) == node.get_fully_qualified_name()]
    found = []
    for subscriber in node.get_subscriptions_info_by_topic(topic) if own else ():
        verdict, reason = qos_check_compatible(own[0].qos_profile, subscriber.qos_profile)
        if verdict == QoSCompatibility.ERROR:
            found.append((endpoint_name(subscriber), reason.replace("ERROR: ", "").strip().rstrip(";")))
    return found
