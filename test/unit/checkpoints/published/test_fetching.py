# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Weights by name from a real server: what is kept, what is refused, and that nothing half-done stays."""

from __future__ import annotations

import hashlib
import os
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.depth import load_checkpoint, read_info
from depth_node.checkpoints.importing.importer import import_official
from depth_node.checkpoints.published import catalogue, download, fetching
from depth_node.checkpoints.published.catalogue import PUBLISHED
from depth_node.checkpoints.published.fetching import cache_folder, fetch
from depth_node.errors import CheckpointError

LITE, MONO, PACKNET = (
    "hr_depth:Lite_HR_Depth_K_T_1280x384",
    "monodepth2:mono+stereo_640x192",
    "packnet:ResNet18_MR_selfsup_K",
)


def left():
    """Files in the cache but the locks."""
    return sorted(path.name for path in cache_folder().rglob("*") if path.is_file() and path.name != ".lock")


def refusal(name, **options):
    """The one line with which a fetch fails, which leaves nothing behind that was not there."""
    before = left()
    with pytest.raises(CheckpointError) as caught:
        fetch(PUBLISHED[name], **options)
    assert left() == before
    assert not list(cache_folder().rglob(".download*"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_name_becomes_a_checkpoint_with_everything_known_about_it(server, official_files, caplog):
    loaded = load_checkpoint(MONO)
    info = loaded.info
    assert server.asked == ["/models/mono%2Bstereo_640x192.zip"]
    assert (info.network.architecture, info.network.width, info.network.height) == ("monodepth2_resnet18", 640, 192)
    assert (info.scale, info.scale_source) == (5.4, "given")
    assert info.licence == PUBLISHED[MONO].project.licence
    assert info.training["name"] == MONO
    assert info.training["source"] == PUBLISHED[MONO].url  # the checksum says so
    assert "non-commercial" in caplog.text  # at each use
    _, found = import_official(official_files / "mono+stereo_640x192.zip")
    for ours, theirs in ((loaded.depth, found.depth), (loaded.pose, found.pose)):
        state = theirs.state_dict()
        assert all(torch.equal(tensor, state[name]) for name, tensor in ours.state_dict().items())


def test_the_second_time_nothing_is_asked(server):
    first = located(LITE)
    server.close()
    asked = len(server.asked)
    assert located(LITE) == first
    assert len(server.asked) == asked == 1
    assert load_checkpoint(LITE).info.licence.startswith("MIT")


@pytest.mark.parametrize(("name", "architecture"), [(LITE, "lite_hr_depth"), (PACKNET, "monodepth2_resnet18")])
def test_without_a_checksum_the_first_one_is_remembered(server, name, architecture):
    said: list[str] = []
    path = fetch(PUBLISHED[name], say=said.append)
    info = read_info(path)
    assert info.network.architecture == architecture
    assert f"{info.network.width}x{info.network.height}" in ("640x192", "1280x384")
    assert said[0].startswith(f"{name}: downloading {server.url}/")
    assert "is remembered" in said[-1]
    assert said[-2].endswith(info.licence)
    assert [line.split(": ")[1][:4] for line in said[1:4]] == ["25 %", "50 %", "75 %"]
    path.unlink()
    said.clear()
    assert fetch(PUBLISHED[name], say=said.append) == path  # the same file again
    assert not any("is remembered" in line for line in said)
    path.unlink()
    changed = bytearray(server.files[PUBLISHED[name].file])
    changed[len(changed) // 2] ^= 1
    server.files[PUBLISHED[name].file] = bytes(changed)
    line = refusal(name)
    memory = path.parent / f"{PUBLISHED[name].file}.sha256"
    assert f"another file than when {name} was first downloaded" in line
    assert f"remove {memory}" in line


def test_what_is_refused_is_not_remembered(server):
    good = server.files[PUBLISHED[LITE].file]
    server.files[PUBLISHED[LITE].file] = b"<html>log in to this network first</html>"
    assert "cannot be used: Lite_HR_Depth_K_T_1280x384.zip is no zip archive" in refusal(LITE)
    server.files[PUBLISHED[LITE].file] = good
    assert fetch(PUBLISHED[LITE]).is_file()


def test_a_changed_file_is_refused_by_the_published_checksum(server):
    data = server.files["mono+stereo_640x192.zip"]
    server.files["mono+stereo_640x192.zip"] = data[:-1] + bytes([data[-1] ^ 1])
    line = refusal(MONO)
    assert f"is not {MONO}: its md5 is " in line
    assert fetching.MIRROR_VARIABLE in line


@pytest.mark.parametrize(
    ("behave", "says"),
    [
        ("cut", "broke off after"),
        ("stall", "sent nothing for 0.2 s"),
        ("huge", "would send 5368709120 bytes"),
    ],
)
def test_a_server_that_fails_is_one_line(server, monkeypatch, behave, says):
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    server.behave = behave
    line = refusal(MONO)
    assert says in line
    assert f"cannot download {MONO}: {server.url}/mono%2Bstereo_640x192.zip " in line
    assert "import files of your own" in line


def test_a_file_that_is_gone_and_a_server_that_is_gone(server):
    del server.files["mono+stereo_640x192.zip"]
    assert "answers 404 Not Found; try again, or set DEPTH_NODE_MIRROR" in refusal(MONO)
    server.close()
    assert "cannot be reached (Connection refused)" in refusal(MONO)


def test_an_unlimited_answer_ends_at_the_limit(server, monkeypatch):
    server.behave = "no length"
    monkeypatch.setattr(download, "MAX_BYTES", 10**6)
    assert "sends more than 1000000 bytes" in refusal(LITE)


def test_without_a_mirror_the_authors_are_asked(server, monkeypatch):
    monkeypatch.delenv(fetching.MIRROR_VARIABLE)
    theirs = replace(PUBLISHED[LITE].project, base=server.url + "/theirs/")
    assert fetch(replace(PUBLISHED[LITE], project=theirs)).is_file()
    assert server.asked == ["/models/theirs/Lite_HR_Depth_K_T_1280x384.zip"]


def test_a_folder_is_a_mirror(server, official_files, tmp_path):
    path = fetch(PUBLISHED[LITE], mirror=str(official_files))
    assert server.asked == []
    about = read_info(path).training
    assert about["source"] == "a mirror"
    assert about["sha256"] == hashlib.sha256((official_files / PUBLISHED[LITE].file).read_bytes()).hexdigest()
    assert str(official_files).encode() not in path.read_bytes()
    assert f"the mirror {tmp_path} has no file mono+stereo_640x192.zip" in refusal(MONO, mirror=str(tmp_path))
    assert "neither a folder nor an address" in refusal(MONO, mirror="ftp://example.org")


def test_a_damaged_checkpoint_in_the_cache_is_made_again(server):
    path = fetch(PUBLISHED[LITE])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    (path.parent / f".{path.stem}.123.partial.safetensors").write_bytes(whole[:100])  # of one that was killed
    (path.parent / ".download-killed").mkdir()
    (path.parent / ".download-killed" / PUBLISHED[LITE].file).write_bytes(b"PK")
    assert load_checkpoint(LITE).info.network.architecture == "lite_hr_depth"
    assert not (path.parent / ".download-killed").exists()
    assert left() == sorted([path.name, f"{PUBLISHED[LITE].file}.sha256"])


def test_a_cache_that_cannot_be_written_is_one_line(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(fetching.CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    with pytest.raises(CheckpointError, match=r"cannot keep .* set DEPTH_NODE_CACHE to a folder"):
        fetch(PUBLISHED[LITE])


def test_the_cache_is_where_the_desktop_standard_says(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (fetching.CACHE_VARIABLE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert cache_folder() == tmp_path / ".cache/depth_node"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache_folder() == Path("/elsewhere/depth_node")


def test_two_at_once_download_once(server):
    server.behave = "slow"
    said, made = [], []
    both = [threading.Thread(target=lambda: made.append(fetch(PUBLISHED[LITE], say=said.append))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert made[0] == made[1]
    assert len(server.asked) == 1
    assert f"{LITE}: another process fetches it, waiting" in said


def test_every_entry_of_the_catalogue_is_sound():
    assert set(catalogue.PROJECTS) == {each.name.partition(":")[0] for each in PUBLISHED.values()}
    for name, each in PUBLISHED.items():
        assert each.name == name
        assert each.url.startswith("https://")
        assert each.url.endswith((".zip", ".ckpt"))
        assert each.width % 32 == each.height % 32 == 0
        assert f"{each.width}x{each.height}" in name or each.project is catalogue.PROJECTS["packnet"]
        assert len(each.md5) in (0, 32)
    given = [each.md5 for each in PUBLISHED.values() if each.md5]
    assert len(set(given)) == len(given) == 9
    assert len({each.file for each in PUBLISHED.values()}) == len(PUBLISHED)  # one mirror holds them all


def test_a_zip_of_the_cache_folder_s_user_stays_where_it_is(server, official_files):
    before = {path: path.stat().st_mtime_ns for path in official_files.iterdir()}
    fetch(PUBLISHED[LITE], mirror=str(official_files))
    assert {path: path.stat().st_mtime_ns for path in official_files.iterdir()} == before
    assert all(zipfile.is_zipfile(path) for path in before if path.suffix == ".zip")
    assert os.listdir(cache_folder()) == ["hr_depth"]
