# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One page of HTML for people: a sentence, remarks, pictures and tables in one file that can be sent on."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jinja2 import Environment
from numpy.typing import NDArray

from depth_node.atomic_file import replacing
from depth_node.image_file import encode_image

INK = "#222"

TEMPLATE = """\
<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ page.title }}</title>
<style>
body { font-family: sans-serif; max-width: 90em; margin: 2em auto; padding: 0 1em; color: #222 }
img { max-width: 100% }
ul { list-style: none; padding: 0 }
li { margin: .4em 0 }
li b { display: inline-block; width: 3em }
td, th { padding: .2em .8em; text-align: left; border-bottom: 1px solid #ddd }
</style>
<p>{{ page.title }}</p>
<h1 style="color: {{ page.tone }}">{{ page.sentence }}</h1>
{% if page.remarks %}<ul>
{% for remark in page.remarks %}<li><b style="color: {{ remark.tone }}">{{ remark.mark }}</b> {{ remark.text }}</li>
{% endfor %}</ul>
{% endif %}
{% for text in page.texts %}<p>{{ text }}</p>
{% endfor %}
{% for name, picture in page.pictures.items() %}<h2>{{ name }}</h2>
<img alt="{{ name }}" src="data:image/png;base64,{{ picture | png }}">
{% endfor %}
{% for table in page.tables %}{% if table.name %}<h2>{{ table.name }}</h2>{% endif %}
<table>
{% if table.columns %}<tr>{% for column in table.columns %}<th>{{ column }}</th>{% endfor %}</tr>
{% endif %}
{% for row in table.rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>
{% endfor %}
{% if page.commands %}<h2>next</h2>
<pre>{{ page.commands }}</pre>
{% endif %}
</html>
"""


class Remark(NamedTuple):
    """A line with a coloured mark of one word before it."""

    mark: str
    tone: str
    text: str


class PageTable(NamedTuple):
    """A table; `name` and `columns` may be empty."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Page:
    """What a page says, from top to bottom; all texts are plain and get escaped.

    Attributes:
        title: what it is about.
        sentence: the result.
        tone: CSS colour of the sentence.
        remarks: what speaks for and against it.
        texts: paragraphs.
        pictures: (H, W, 3) uint8 RGB by caption.
        tables: with rows of any values.
        commands: what to type next.
    """

    title: str
    sentence: str
    tone: str = INK
    remarks: Sequence[Remark] = ()
    texts: Sequence[str] = ()
    pictures: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    tables: Sequence[PageTable] = ()
    commands: str = ""


def write_page(path: Path, page: Page) -> None:
    """Write a page, its pictures within; raises OutputError."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["png"] = lambda picture: base64.b64encode(encode_image(picture)).decode("ascii")
    text = environment.from_string(TEMPLATE).render(page=page)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
