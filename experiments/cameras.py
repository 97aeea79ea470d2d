# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Prints abs_rel and median ratio of every camera and fit from the JSON that cameras.sh leaves."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from depth_node.config.fit import FITS


def main() -> None:
    """Print a markdown table; the training camera comes first."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for path in sorted(Path(sys.argv[1]).glob("*.json")):
        name, fit = path.stem.rsplit(".", 1)
        record = json.loads(path.read_text(encoding="utf-8"))["checkpoints"][0]
        found.setdefault(name, {})[fit] = record["metrics"]["abs_rel"], record["median_ratio"]
    reference = found["training"][FITS[0]][0]
    print("| camera | " + " | ".join(f"{fit}: abs_rel, truth / prediction" for fit in FITS) + " |")
    print("|---|" + "---|" * len(FITS))
    for name, fits in sorted(found.items(), key=lambda item: (item[0] != "training", item[0])):
        cells = [f"{fits[fit][0]:.3f} ({fits[fit][0] / reference:.2f}x), {fits[fit][1]:.3f}" for fit in FITS]
        print(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
