# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an installation, or with a running graph, and how to mend it."""
