# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A running graph in a browser: which live nodes there are, what of theirs is shown, and where. Needs rerun."""
