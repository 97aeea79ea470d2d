# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth networks of others, to learn from: their answers are written to disk once."""
