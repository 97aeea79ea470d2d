# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Losses: a pure function first, a thin module after it, one loss a file."""
