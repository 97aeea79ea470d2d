# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How a picture of another shape comes into a network's: the one setting of live node, prediction and evaluation."""

from __future__ import annotations

from depth_node.config.setting import setting

FITS = ("pad", "crop", "stretch")
"""All of the picture beside empty bars, what the training camera would have seen of it, or all of it squeezed."""


def fit_setting(live: bool = False) -> str:
    """The field of a configuration; `live` where it may change at run time."""
    field: str = setting(
        FITS[0],
        "how a picture of another shape than the training camera's comes into the network: all of it beside empty "
        "bars (pad), what the training camera would have seen of it (crop), or squeezed (stretch)",
        choices=FITS,
        live=live,
    )
    return field
