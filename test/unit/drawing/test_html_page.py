# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A page of HTML says what it is given, and nothing that it is given becomes code."""

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np

from depth_node.drawing.html_page import Page, PageTable, Remark, write_page

EVIL = "<script>alert('a & b')</script>"
PICTURE = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)


class Words(HTMLParser):
    """Tags and texts of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data.strip())


def written(tmp_path, **parts):
    write_page(tmp_path / "page.html", Page(EVIL, EVIL, **parts))
    words = Words()
    words.feed((tmp_path / "page.html").read_text())
    return words


def test_every_text_is_shown_as_it_is(tmp_path):
    words = written(
        tmp_path,
        remarks=[Remark(EVIL, "#c83c32", EVIL)],
        texts=[EVIL],
        pictures={EVIL: PICTURE},
        tables=[PageTable(EVIL, (EVIL,), [(EVIL,), (7,)])],
        commands=EVIL,
    )
    assert "script" not in [tag for tag, _ in words.tags]
    assert words.texts.count(EVIL) == 11
    assert "7" in words.texts


def test_pictures_are_within(tmp_path):
    words = written(tmp_path, pictures={"random": PICTURE})
    (image,) = [attributes for tag, attributes in words.tags if tag == "img"]
    data = base64.b64decode(re.fullmatch(r"data:image/png;base64,(.+)", image["src"])[1])
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(shown, PICTURE)


def test_what_is_not_given_leaves_no_trace(tmp_path):
    words = written(tmp_path)
    assert not {"ul", "img", "table", "h2", "pre"} & {tag for tag, _ in words.tags}
