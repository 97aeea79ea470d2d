# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Weights that the authors publish, by name: downloaded, checked, imported and kept."""
