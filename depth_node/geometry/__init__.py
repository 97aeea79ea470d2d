# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras and rigid motion in torch: batched, differentiable, no I/O.

Pixel centres lie at integer coordinates. `T_target_source` maps points: p_target = T_target_source p_source.
"""
