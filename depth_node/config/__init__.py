# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration dataclasses: the only place where a default is written."""
