# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The report's numbers are the manifest's, its pictures show them, its page is whole and safe."""

from __future__ import annotations

import json
import shutil
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from depth_node.cli.main import main
from depth_node.errors import SequenceError
from depth_node.kitti.layout import MANIFEST
from depth_node.recording.manifest import read_manifest
from depth_node.recording.report.numbers import read_numbers
from depth_node.recording.report.page import write_report


def test_numbers_of_a_recording(stored_recording):
    numbers = read_numbers(read_manifest(stored_recording / MANIFEST), stored_recording)
    assert numbers.counts["kept"] == 270
    assert list(numbers.counts)[:3] == ["kept", "static", "little parallax"]
    assert len(numbers.categories) == 431
    assert numbers.drives == (150, 120)
    assert (np.diff(numbers.seconds) >= 0).all()
    assert numbers.seconds[-1] == pytest.approx(52.6, abs=0.2)
    np.testing.assert_allclose(np.unique(numbers.of_kept(numbers.parallax)), [2.0, 20 / 6.4])
    assert len(numbers.intervals) == 149 + 119
    (track,) = numbers.tracks.values()
    assert numbers.way == pytest.approx(30 * 119 / 20, rel=1e-3)
    assert track.speeds.max() == pytest.approx(15 * (0.5 + 119 / 240), rel=1e-3)


def test_the_report_and_its_files(stored_recording):
    report = write_report(stored_recording)
    assert report.verdict == "fair"
    assert report.lines[0] == "Usable for training, with reservations."
    record = json.loads((stored_recording / "report.json").read_text())
    assert record["pictures"]["blurred"] == 20
    assert record["parallax_percent"]["p10"] == 2.0
    assert record["interval_s"]["median"] == 0.1
    picture = cv2.imread(str(stored_recording / "report.png"))
    assert picture.shape[1] == 1440
    for colour in ("3a7abd", "b8b8b8", "e8a33d", "c58bd6"):  # kept, static, blurred, rotation
        rgb = [int(colour[start : start + 2], 16) for start in (0, 2, 4)]
        assert (picture[..., ::-1] == rgb).all(axis=2).sum() > 200, colour

    page = (stored_recording / "report.html").read_text()
    parser = HTMLParser()
    parser.feed(page)
    assert page.count("data:image/png;base64,") == 2
    assert "7 scans were lost &lt;&amp;&gt; found" in page
    assert "://" not in page  # nothing is fetched from elsewhere


def test_the_same_recording_gives_the_same_report(stored_recording):
    names = ("report.html", "report.png", "report.json")
    write_report(stored_recording)
    first = [(stored_recording / name).read_bytes() for name in names]
    write_report(stored_recording)
    assert [(stored_recording / name).read_bytes() for name in names] == first


def test_a_recording_without_side_data_or_measures(tmp_path, manifest, drive, stored_recording):
    one = drive(1, [(5, "")], parallax=None, rotation=None, sharpness=None, brightness=None, clipped=None)
    folder = tmp_path / "bare"
    shutil.copytree(stored_recording / one.folder, folder / one.folder)
    (folder / MANIFEST).write_text(manifest(one).to_json())
    report = write_report(folder)
    assert report.verdict == "poor"
    assert report.record["parallax_percent"] is None
    assert (folder / "report.png").stat().st_size > 10_000


def test_depth_inspect_reports_a_recording(stored_recording, capsys):
    assert main(["inspect", str(stored_recording), "--json", str(stored_recording / "x.json")]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Usable for training, with reservations.\n  mind: 270 of 431 pictures are kept")
    assert f"report: {stored_recording}/report.html" in text
    assert json.loads((stored_recording / "x.json").read_text())["bags"][0]["verdict"] == "fair"


def test_no_recording_is_one_clear_line(tmp_path):
    with pytest.raises(SequenceError, match="cannot read manifest"):
        write_report(tmp_path)
