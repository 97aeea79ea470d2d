# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures for people: colours, overviews, contact sheets, pages."""
