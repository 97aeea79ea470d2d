# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which bags a folder holds."""

from __future__ import annotations

import shutil

from depth_node.bags.files import find_bags


def test_a_loose_storage_file_hides_no_bag_beside_it(make_bag, tmp_path):
    bag = make_bag()
    folder = tmp_path / "monday"
    for name in ("drive_10", "drive_2"):
        shutil.copytree(bag, folder / name)
    storage = next(path for path in bag.iterdir() if path.suffix == ".mcap")
    shutil.copy(storage, folder / "loose.mcap")
    assert [path.name for path in find_bags([folder])] == ["drive_2", "drive_10", "loose.mcap"]


def test_a_folder_with_storage_files_alone_is_a_bag_without_metadata(make_bag, tmp_path):
    bag = make_bag()
    (bag / "metadata.yaml").unlink()
    assert find_bags([bag.parent / bag.name]) == [bag]
