# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Official files of other projects to our checkpoint. Their pickles are read as plain data: nothing in them is run."""
