# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What documents and source refer to exists: links, headings, files, commands and their flags."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from depth_node.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[2]
IGNORED = {".git", "demo", "runs", "build", "install", "log", "node_modules", "__pycache__"}
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not {*path.relative_to(ROOT).parts[:-1]} & IGNORED and not path.relative_to(ROOT).parts[0].startswith(".")
)
FOLDERS = ("depth_node", "test", "launch", "benchmarks", "experiments", "config", "docs")
SOURCES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".sh", ".yaml", ".md", ".sbatch") and path != Path(__file__)
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MENTION = re.compile(r"(?<![\w/.-])((?:docs|experiments|benchmarks)/[\w/-]+\.\w+)(#[\w-]+)?")


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub makes of a document's headings."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def is_there(target: Path, anchor: str) -> bool:
    return target.exists() and (not anchor or anchor in anchors(target))


def test_documents_are_found():
    assert {"README.md", "docs/results.md"} <= {str(path.relative_to(ROOT)) for path in DOCUMENTS}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(path):
    links = [link for link in LINK.findall(path.read_text()) if not re.match(r"\w+:", link)]
    broken = []
    for link in links:
        name, _, anchor = link.partition("#")
        if not is_there(path.parent / name if name else path, anchor):
            broken.append(link)
    assert broken == []


def test_every_document_that_source_mentions_is_there():
    broken = [
        f"{path.relative_to(ROOT)}: {name}{anchor}"
        for path in SOURCES
        for name, anchor in MENTION.findall(path.read_text())
        if not is_there(ROOT / name, anchor.removeprefix("#"))
    ]
    assert broken == []


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Every `depth COMMAND …` of the code blocks: the command, and the flags given to it."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.partition(" #")[0].replace("'", ""))
            if words[:1] == ["depth"] and len(words) > 1 and not words[1].endswith(":"):  # else an error shown
                yield words[1], [word.partition("=")[0] for word in words[2:] if word.startswith("--")]


@lru_cache
def help_of(command: str) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main([command, "--help"])
    return said.getvalue()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_and_flag_of_the_documents_exists(path):
    unknown = [
        f"{command} {flag}"
        for command, flags in commands(path.read_text())
        for flag in ["", *flags]
        if command not in COMMANDS or not re.search(rf"{re.escape(flag)}(?![\w.-])", help_of(command))
    ]
    assert unknown == []


def test_the_readme_lists_every_command():
    listed = re.findall(r"^\| `depth ([\w-]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("path", sorted((ROOT / "experiments").glob("*.sh")), ids=lambda path: path.name)
def test_an_experiment_is_valid_shell_and_says_what_it_needs(path):
    done = subprocess.run(["bash", path], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "name " in done.stderr.splitlines()[-1]
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0


PAPERS = "docs/papers.md"
CITATION = re.compile(r"docs/papers\.md(?:, ([A-Z][\w \n-]*?)(?=[).;:]))?")
UNFOLLOWABLE = re.compile(r"fact sheet|\((?:section |appendix )?[ABC]\.\d", re.IGNORECASE)
NAMED_IN_PAPERS = re.compile(
    r"`((?:camera|checkpoints|config|evaluation|geometry|kitti|losses|networks|resampling)/[\w/]+\.py)"
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_stranger_can_follow_every_reference_to_the_papers(path):
    text = path.read_text()
    assert UNFOLLOWABLE.findall(text) == []
    if path.suffix == ".py":
        headings = re.findall(r"^## (.+)$", (ROOT / PAPERS).read_text(), re.MULTILINE)
        cited = [" ".join((section or "").split()) for section in CITATION.findall(text)]
        assert [section for section in cited if section not in headings] == []


def test_the_papers_page_names_files_that_exist():
    named = NAMED_IN_PAPERS.findall((ROOT / PAPERS).read_text())
    assert len(named) > 20
    assert [name for name in named if not (ROOT / "depth_node" / name).exists()] == []
