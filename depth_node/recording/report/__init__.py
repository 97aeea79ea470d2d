# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a recording is fit for training, and what to do if not: numbers, findings, charts and a page."""
