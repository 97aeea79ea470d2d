# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pickles as plain data: what PyTorch writes is read, anything else is refused and nothing is ever run."""

from __future__ import annotations

import builtins
import copyreg
import io
import operator
import os
import pickle
import struct
import subprocess
import tracemalloc
from collections import OrderedDict
from contextlib import suppress

import numpy as np
import pytest
import torch

from depth_node.checkpoints.importing.plain_pickle import RefusedPickleError, read_plain
from depth_node.checkpoints.importing.stored import StoredTensor

PLAIN = {
    "height": 192,
    "width": 640,
    "use_stereo": False,
    "none": None,
    "numbers": [0, -1, 255, 70_000, -(2**40), 2**70, 1.5, float("inf")],
    "text": ["", "Zürich", "x" * 300],
    "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    "nested": {"again": {"deep": [{}]}},
    3: "number as key",
}


def read(data):
    return read_plain(io.BytesIO(data))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_data_is_read_as_it_is(protocol):
    assert read(pickle.dumps(PLAIN, protocol)) == PLAIN
    assert read(pickle.dumps(OrderedDict(PLAIN), protocol)) == PLAIN
    assert read(pickle.dumps({"some": {1, 2}}, protocol)) == {"some": [1, 2]}


def test_shared_and_circular_data_keep_their_shape():
    shared: list = [1]
    twice = read(pickle.dumps([shared, shared], 2))
    assert twice[0] is twice[1]
    shared.append(shared)
    circle = read(pickle.dumps(shared, 2))
    assert circle[1] is circle


def test_the_stream_stands_behind_the_pickle():
    stream = io.BytesIO(pickle.dumps([1], 2) + pickle.dumps({"two": 2}, 4) + b"rest")
    assert read_plain(stream) == [1]
    assert read_plain(stream) == {"two": 2}
    assert stream.read() == b"rest"


class Calls:
    """Pickles to a call of a function."""

    def __init__(self, function, *arguments, state=None):
        self.function, self.arguments, self.state = function, arguments, state

    def __reduce__(self):
        return (self.function, self.arguments) + ((self.state,) if self.state else ())


def crimes(marker):
    """Objects whose pickles do something when loaded."""
    touch = f"touch {marker}"
    write = f"open({str(marker)!r}, 'w')"
    return {
        "os.system": Calls(os.system, touch),
        "eval": Calls(builtins.eval, write),
        "exec": Calls(builtins.exec, write),
        "open": Calls(builtins.open, str(marker), "w"),
        "subprocess": Calls(subprocess.call, ["touch", str(marker)]),
        "getattr": Calls(getattr, Calls(__import__, "os"), "system"),
        "attrgetter": Calls(operator.attrgetter, "system"),
        "with state": Calls(OrderedDict, state={"x": Calls(os.system, touch)}),
        "a tensor's hooks": Calls(torch._utils._rebuild_tensor_v2, Calls(os.system, touch), 0, (1,), (1,), False, {}),
        "numpy": Calls(np.load, str(marker), None, True),
        "copyreg": Calls(copyreg._reconstructor, dict, object, None),
        "torch.load": Calls(torch.load, str(marker)),
    }


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("crime", sorted(crimes("")))
def test_calls_are_refused_and_not_run(crime, protocol, tmp_path):
    marker = tmp_path / "marker"
    evil = crimes(marker)[crime]
    for content in (evil, {"config": {"datasets": {"path": [evil]}}}, [1, (2, evil)], {"state_dict": evil}):
        with pytest.raises(RefusedPickleError) as refused:
            read(pickle.dumps(content, protocol))
        assert "\n" not in str(refused.value)
    assert not marker.exists()


def test_the_name_that_is_refused_is_told():
    with pytest.raises(RefusedPickleError, match=r"refers to 'posix\.system', which is not plain data"):
        read(pickle.dumps(Calls(os.system, "true"), 2))
    with pytest.raises(RefusedPickleError, match=r"refers to 'builtins\.eval'"):
        read(pickle.dumps(Calls(eval, "1"), 4))


@pytest.mark.parametrize(
    "code",
    [
        b"(S'touch MARKER'\nios\nsystem\n.",  # INST
        b"\x80\x02(cos\nsystem\nX\x0c\x00\x00\x00touch MARKERo.",  # OBJ
        b"\x80\x02cos\nsystem\nX\x0c\x00\x00\x00touch MARKER\x85R.",  # GLOBAL, REDUCE
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0ctouch MARKER\x85R.",  # STACK_GLOBAL
        b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x0ctouch MARKER\x85R.",  # through the memo
        b"\x80\x02\x82\x01.",  # EXT1: the extension registry
        b"\x80\x02ccollections\nOrderedDict\n.",  # a class instead of a value
        b"\x80\x02ccollections\nOrderedDict\n)\x81}U\x08__class__cos\nsystem\nsb.",  # BUILD with a class
        b"\x80\x02}}b0.",  # POP
        b"\x80\x02Pposix\n.",  # PERSID
        b"\x80\x02ccollections\nOrderedDict\n]]U\x01aK\x01\x86aa\x85R.",  # items as an argument
        b"\x80\x02]K\x01b.",  # state of a list
        b"\x80\x02K\x01K\x02R.",  # a number is called
        b"\x80\x02}(K\x01K\x02\x86K\x03u.",  # a tuple as key
        b"\x80\x02}(K\x01u.",  # a key without a value
        b"\x80\x02(.",  # a mark as result
        b"\x80\x02K\x01K\x02.",  # two results
        b"\x80\x02h\x07.",  # nothing under this memo
        b"\x80\x02ctorch\nFloatStorage\nQ.",  # a name as storage
        b".",
        b"",
    ],
)
def test_crafted_instructions_are_refused(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RefusedPickleError):
        read(code)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "code",
    [
        b"\x80\x02]r\xff\xff\xff\xff.",  # the memo's last place
        b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"text.",  # a text of 4 EB
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"bytes.",
        b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"number.",
        b"\x80\x02\x8b" + struct.pack("<i", -1) + b".",
        b"\x80\x04\x95" + struct.pack("<Q", 2**63) + b"].",  # a frame
    ],
)
def test_false_lengths_reserve_nothing(code):
    tracemalloc.start()
    with suppress(RefusedPickleError):
        read(code)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6


def test_deep_nesting_is_harmless():
    deep = b"\x80\x02" + b"]" * 60_000 + b"a" * 59_999 + b"."
    assert isinstance(read(deep), list)
    with pytest.raises(RefusedPickleError):
        read(b"\x80\x02})" + b"\x85" * 60_000 + b"K\x01s.")  # as a key it would be hashed


def stored(size=6, offset=0, shape=(2, 3), strides=(3, 1), storage="FloatStorage", kind="storage", key="0"):
    """The pickle of a tensor, as torch.save writes it."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return value.id if isinstance(value, Reference) else None

    class Reference:
        id = (kind, getattr(torch, storage), key, "cuda:0", size)

    buffer = io.BytesIO()
    rebuild = Calls(torch._utils._rebuild_tensor_v2, Reference(), offset, shape, strides, False, OrderedDict())
    Pickler(buffer, 2).dump({"tensor": rebuild})
    return buffer.getvalue()


def test_a_tensor_is_described_not_made():
    tensor = read(stored(offset=1, shape=(2, 2), strides=(2, 1)))["tensor"]
    assert isinstance(tensor, StoredTensor)
    assert (tensor.shape, tensor.strides, tensor.offset) == ((2, 2), (2, 1), 1)
    assert (tensor.storage.key, tensor.storage.size, tensor.storage.dtype) == ("0", 6, torch.float32)


@pytest.mark.parametrize(
    "change",
    [
        {"shape": (2**40, 2**40)},
        {"shape": (2**70, 1)},
        {"shape": (10**9, 10**9), "strides": (0, 0)},  # a few bytes, repeated without end
        {"shape": (-1, 3)},
        {"strides": (-3, 1)},
        {"offset": -1},
        {"offset": 1},
        {"offset": 2**63},
        {"shape": (2, 3, 1)},
        {"shape": (1,) * 9, "strides": (1,) * 9},
        {"shape": "23"},
        {"shape": (2.0, 3.0)},
        {"shape": (True, 3)},
        {"size": -1},
        {"size": "6"},
        {"size": 5},
        {"kind": "module"},
        {"key": 0},
    ],
)
def test_tensors_that_cannot_be_are_refused(change):
    read(stored())
    with pytest.raises(RefusedPickleError):
        read(stored(**change))


def test_cut_anywhere_it_is_refused():
    for data in (pickle.dumps(PLAIN, 2), pickle.dumps(PLAIN, 4), stored()):
        for length in range(len(data)):
            with pytest.raises(RefusedPickleError):
                read(data[:length])


def test_changed_anywhere_it_is_plain_data_or_refused():
    random = np.random.default_rng(0)
    originals = [stored(), pickle.dumps(PLAIN, 2), pickle.dumps(OrderedDict(PLAIN), 4)]
    messages = []
    for _ in range(1500):
        data = bytearray(originals[random.integers(len(originals))])
        for position in random.integers(len(data), size=random.integers(1, 4)):
            data[position] = random.integers(256)
        try:
            read(bytes(data))
        except RefusedPickleError as error:
            messages.append(str(error))
    assert len(messages) > 300
    assert not any("\n" in message for message in messages)
