# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Better every night: record, check, train from the present weights, compare, and let in only what is better."""
