# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A killed recording goes on where it stopped and ends byte for byte as if nothing had happened.

DEPTH_NODE_KILLS=20 kills at as many random moments (3 otherwise).
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from depth_node.cli.main import main
from depth_node.config.record import RecordConfig
from depth_node.errors import SequenceError
from depth_node.recording.recorder import record
from depth_node.recording.staging import RecordingStoppedError

KILLS = int(os.environ.get("DEPTH_NODE_KILLS", "3"))
ROOT = Path(__file__).parents[2]

# Dies at the N-th time that something is renamed or linked, or at the N-th picture.
DYING = """
import os, sys
from pathlib import Path
from depth_node.config.record import RecordConfig
from depth_node.recording.recorder import record
bags, output, call, number = sys.argv[1].split(","), sys.argv[2], sys.argv[3], int(sys.argv[4])
count, real = 0, getattr(os, call)
def dying(*args):
    global count
    count += 1
    if count == number:
        os._exit(9)
    return real(*args)
setattr(os, call, dying)
record([Path(bag) for bag in bags], Path(output), RecordConfig(workers=1))
"""


def content(folder: Path) -> dict[str, str]:
    """Hash of every file of a folder, hidden ones included."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def start(*arguments: str) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL)


def test_killed_at_random_moments(drive_bag, tmp_path):
    bags = [drive_bag("one", 40), drive_bag("two", 40, "sqlite3", start=1000)]
    begin = time.monotonic()
    record(bags, tmp_path / "straight", RecordConfig(workers=1))
    duration = time.monotonic() - begin
    draw = random.Random(4)
    finished = 0
    for number in range(KILLS):
        output = tmp_path / f"killed{number}"
        process = start("-m", "depth_node.cli.main", "record", *map(str, bags), "--output", str(output), "--workers=1")
        while not (output / ".recording").exists() and process.poll() is None:
            time.sleep(0.002)
        time.sleep(draw.uniform(0, duration))
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        finished += (output / "manifest.json").exists()
        record(bags, output, RecordConfig(workers=2))
        assert content(output) == content(tmp_path / "straight"), f"kill {number}"
    assert finished < KILLS  # some were killed before the end


@pytest.mark.parametrize(("call", "number"), [("replace", 3), ("replace", 5), ("replace", 8), ("link", 7)])
def test_killed_while_things_move_into_place(drive_bag, tmp_path, call, number):
    bags = [drive_bag("one", 8), drive_bag("two", 8, start=1000)]
    process = start("-c", DYING, ",".join(map(str, bags)), str(tmp_path / "out"), call, str(number))
    assert process.wait(60) == 9
    assert not (tmp_path / "out" / "manifest.json").exists()
    record(bags, tmp_path / "out", RecordConfig())
    record(bags, tmp_path / "straight", RecordConfig())
    assert content(tmp_path / "out") == content(tmp_path / "straight")


def test_a_stop_is_resumed_but_only_by_the_same_recording(drive_bag, tmp_path):
    bag = drive_bag(frames=20)

    def stop(done: int, total: int) -> None:
        if done == 10:
            raise RecordingStoppedError("interrupted")

    output, pictures = tmp_path / "out", tmp_path / "out/.recording/work/000000/pictures"
    with pytest.raises(RecordingStoppedError):
        record([bag], output, RecordConfig(workers=1), stop)
    done = {path.name: path.stat().st_mtime_ns for path in pictures.iterdir()}
    assert len(done) >= 10
    (pictures / "3.png").write_bytes(b"damaged")  # a picture that is not what it was is written again
    with pytest.raises(RecordingStoppedError):
        record([bag], output, RecordConfig(workers=1), stop)
    again = {path.name: path.stat().st_mtime_ns for path in pictures.iterdir()}
    assert {name for name in done if again[name] != done[name]} == {"3.png"}
    record([bag], output, RecordConfig(format="jpg"))  # another recording: the leftovers are of no use
    record([bag], tmp_path / "straight", RecordConfig(format="jpg"))
    assert content(output) == content(tmp_path / "straight")


def test_a_full_disk_keeps_what_is_done(drive_bag, tmp_path, monkeypatch):
    bag = drive_bag(frames=12)
    real, full = os.write, []

    def write(descriptor: int, data: memoryview) -> int:
        if not os.readlink(f"/proc/self/fd/{descriptor}").endswith("/8.png"):
            return real(descriptor, data)
        if full:
            raise OSError(28, "No space left on device")
        full.append(True)
        return real(descriptor, data[: len(data) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(SequenceError, match=r"No space left on device; make room .*run the same command again"):
            record([bag], tmp_path / "out", RecordConfig(workers=1))
    assert len(list((tmp_path / "out/.recording/work/000000/pictures").iterdir())) >= 5
    record([bag], tmp_path / "out", RecordConfig())
    record([bag], tmp_path / "straight", RecordConfig())
    assert content(tmp_path / "out") == content(tmp_path / "straight")


def test_ctrl_c_says_how_to_go_on(drive_bag, tmp_path, capfd, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("depth_node.recording.recorder.assemble", interrupt)
    bag = drive_bag(frames=5)
    assert main(["record", str(bag), "--output", str(tmp_path / "out")]) == 130
    assert "run the same command again to go on" in capfd.readouterr().err
    monkeypatch.undo()
    assert main(["record", str(bag), "--output", str(tmp_path / "out")]) == 0
    assert not (tmp_path / "out/.recording").exists()
