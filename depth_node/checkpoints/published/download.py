# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One file over HTTP: with a time limit, a size limit, and whole or not at all.

`torch.hub.download_url_to_file` has a bar but no time limit, and takes a connection that breaks off for the end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from depth_node import __version__
from depth_node.errors import CheckpointError, first_line

TIMEOUT = 20.0
"""Seconds without a byte after which a server is given up."""
MAX_BYTES = 4 * 2**30
"""No published network is as large: PackNet01 with its optimiser's state has 1.5 GB."""
CHUNK = 2**18

Watch = Callable[[int, int], None]
"""Is told the bytes that have come and those that will, 0 where the server does not say."""


def download(url: str, path: Path, watch: Watch) -> None:
    """Fetch a file.

    Args:
        url: http or https.
        path: file to write; what is there of a download that failed is the caller's to remove.
        watch: told how far it is.

    Raises:
        CheckpointError: it cannot be reached, is not there, breaks off or is too large; the line names the address.
        OSError: the file cannot be written.
    """
    done = 0
    with path.open("wb") as file, closing(_chunks(url)) as chunks:
        for chunk, total in chunks:
            file.write(chunk)
            done += len(chunk)
            watch(done, total)


def _chunks(url: str) -> Generator[tuple[bytes, int], None, None]:
    """Pieces of the answer, each with the length of all.

    A generator, so that what goes wrong on the disk is not taken for the network's doing.
    """
    try:
        with urlopen(Request(url, headers={"User-Agent": f"depth_node/{__version__}"}), timeout=TIMEOUT) as answer:
            yield from _whole(answer, url)
    except HTTPError as error:
        raise CheckpointError(f"{url} answers {error.code} {error.reason}") from error
    except TimeoutError as error:
        raise CheckpointError(f"{url} sent nothing for {TIMEOUT:g} s") from error
    except (OSError, HTTPException, ValueError) as error:  # URLError is an OSError
        reason = getattr(error, "reason", error)
        said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise CheckpointError(f"{url} cannot be reached ({said.splitlines()[0]})") from error


def _whole(answer: Any, url: str) -> Iterator[tuple[bytes, int]]:
    total, done = int(answer.headers.get("Content-Length") or 0), 0
    if total > MAX_BYTES:
        raise CheckpointError(f"{url} would send {total} bytes, more than any published network has")
    try:
        while chunk := answer.read(CHUNK):
            done += len(chunk)
            if done > MAX_BYTES:
                raise CheckpointError(f"{url} sends more than {MAX_BYTES} bytes, more than any published network has")
            yield chunk, total
    except TimeoutError:
        raise
    except (OSError, HTTPException) as error:
        raise CheckpointError(f"{url} broke off after {done} bytes ({first_line(error)})") from error
    if done < total:
        raise CheckpointError(f"{url} broke off after {done} of {total} bytes")
