# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A server on this machine with files of the official layout, and a cache of the test's own."""

from __future__ import annotations

import hashlib
import threading
import time
import zipfile
from collections import OrderedDict
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest
import torch

from depth_node.checkpoints.published import catalogue, fetching

LITE = "hr_depth:Lite_HR_Depth_K_T_1280x384"
MONO = "monodepth2:mono+stereo_640x192"
PACKNET = "packnet:ResNet18_MR_selfsup_K"


class Server:
    """Serves `files`; `asked` has the paths that were asked for. `behave` spoils the answers."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.behave = "well"
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.answer(self)

            def log_message(self, *_) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/models"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        data = self.files.get(unquote(request.path.rpartition("/")[2]))
        if data is None:
            request.send_error(404)
            return
        request.send_response(200)
        if self.behave != "no length":
            request.send_header("Content-Length", str(5 * 2**30 if self.behave == "huge" else len(data)))
        request.end_headers()
        if self.behave == "stall":
            request.wfile.write(data[:1000])
        time.sleep({"stall": 0.6, "slow": 0.3}.get(self.behave, 0))
        if self.behave == "stall":
            return
        request.wfile.write(data[: len(data) // 2] if self.behave == "cut" else data)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def packed(folder, path, inside="", extra=()):
    """A zip of a folder's files as the authors publish them, and perhaps more than that."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, inside + file.name)
        for name, data in extra:
            archive.writestr(name, data)
    return path


@pytest.fixture(scope="module")
def official_files(official_for_module, tmp_path_factory):
    """The authors' files by name, with random weights: zips in both layouts, and a checkpoint of PackNet-SfM."""
    place = tmp_path_factory.mktemp("official")
    files = place / "files"
    files.mkdir()
    lite = official_for_module.hr_depth(place / "lite", lite=True).path
    mono = official_for_module.monodepth2(place / "mono", use_stereo=True)
    torch.save(official_for_module.resnet(images=2), mono.path / "pose_encoder.pth")
    torch.save(official_for_module.pose_decoder(), mono.path / "pose.pth")
    mac = [("__MACOSX/Lite/._encoder.pth", b"x"), ("__MACOSX/Lite/encoder.pth", b"x"), ("../../depth.txt", b"x")]
    names = {name: catalogue.PUBLISHED[name].file for name in (LITE, MONO, PACKNET)}
    packed(lite, files / names[LITE], "Lite_HR_Depth_K_T_1280x384/", mac)
    packed(mono.path, files / names[MONO])
    state = {f"model.depth_net.encoder.{name}": tensor for name, tensor in mono.encoder.items()}
    state |= {f"model.depth_net.decoder.{name}": tensor for name, tensor in mono.decoder.items()}
    torch.save({"config": {}, "state_dict": OrderedDict(state)}, files / names[PACKNET])
    return files


@pytest.fixture
def server(official_files, tmp_path, monkeypatch):
    """The server, as the mirror; the catalogue's checksum of the monodepth2 file is that of ours."""
    served = Server()
    served.files = {path.name: path.read_bytes() for path in official_files.iterdir()}
    mono = catalogue.PUBLISHED[MONO]
    md5 = hashlib.md5(served.files[mono.file]).hexdigest()
    monkeypatch.setitem(catalogue.PUBLISHED, MONO, replace(mono, md5=md5))
    monkeypatch.setenv(fetching.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(fetching.MIRROR_VARIABLE, served.url)
    yield served
    served.close()
