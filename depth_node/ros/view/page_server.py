# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The page and what it shows, served by rerun from this machine alone; and the file that keeps it."""

from __future__ import annotations

import os
import socket
import webbrowser
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from depth_node.atomic_file import check_replaceable
from depth_node.config.view import ViewConfig
from depth_node.errors import OutputError, ViewError

os.environ.setdefault("RUST_LOG", "error")  # rerun tells of every connection otherwise
try:
    import rerun as rr
except ImportError as error:
    raise ViewError(
        f"needs rerun ({error}): pip install 'depth_node[view]', or rerun-sdk, with Python 3.11 or later"
    ) from None

NAME = "depth_view"
SUFFIX = ".rrd"
NOWHERE = ("192.0.2.1", 9)
"""An address of RFC 5737, for documentation: a socket that is only connected to it sends nothing."""


@contextmanager
def recordings(config: ViewConfig) -> Iterator[list[rr.RecordingStream]]:
    """Serve page and data until the block ends, and save what is drawn where that is wanted.

    Raises:
        ViewError: a port is in use.
        OutputError: the file is there already, or cannot be written.
    """
    for port in (config.port, config.port + 1):
        _check_free(port, config.port)
    made = [rr.RecordingStream(NAME)]
    if config.save:
        _check_file(Path(config.save))
        made.append(rr.RecordingStream(NAME))
        made[1].save(config.save)
    origins = [f"http://{name}:{config.port}" for name in own_names()]
    made[0].serve_grpc(
        grpc_port=config.port + 1,
        server_memory_limit=f"{config.memory}MB",
        cors_allow_origin=origins,
    )
    rr.serve_web_viewer(web_port=config.port, open_browser=False)
    try:
        yield made
    finally:
        for recording in made:
            recording.flush(timeout_sec=5.0)
            recording.disconnect()


def page_address(name: str, port: int) -> str:
    """The address of the page, for browsers that know this machine by `name`."""
    data = quote(f"rerun+http://{name}:{port + 1}/proxy", safe="")
    return f"http://{name}:{port}/?url={data}&hide_welcome_screen&theme=dark"


def open_page(address: str) -> None:
    """Open it where there is a screen: without one, a browser of text would take the terminal."""
    if os.name == "nt" or os.uname().sysname == "Darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        with suppress(webbrowser.Error):
            webbrowser.open(address)


def own_names() -> list[str]:
    """Names and the address under which browsers may know this machine."""
    host = socket.gethostname()
    names = ["localhost", "127.0.0.1", host, f"{host.partition('.')[0]}.local"]
    with suppress(OSError), closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.connect(NOWHERE)
        names.append(probe.getsockname()[0])
    return list(dict.fromkeys(names))


def _check_free(port: int, page: int) -> None:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            raise ViewError(
                f"port {port} cannot be had ({error.strerror}): if another `depth view` runs here, any number of "
                f"browsers may open its page; for a second one give other ports, --port {page + 10}"
            ) from None


def _check_file(path: Path) -> None:
    if path.suffix != SUFFIX:
        raise OutputError(f"--save {path}: name a file *{SUFFIX}")
    if path.exists():
        raise OutputError(f"--save {path}: the file is there already, name another one")
    check_replaceable(path)
