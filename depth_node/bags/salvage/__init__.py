# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What can still be read of damaged bags."""
