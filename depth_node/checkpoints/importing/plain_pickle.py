# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the pickle inside a PyTorch file as plain data, and runs nothing of it.

A pickle is a program that may import and call anything. This interpreter has no instruction for that: it decodes the
instructions with `pickletools`, knows a few names by their spelling, and builds dictionaries, lists, tuples, numbers,
text and descriptions of tensors. Any other name or instruction is refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from depth_node.checkpoints.importing.stored import CALLS, DTYPES, Storage, storage_of

MAX_ARGUMENTS = 8


class RefusedPickleError(Exception):
    """A pickle is malformed, or holds something that is not plain data; the message is one line."""


@dataclass(frozen=True)
class Name:
    """A class or function, by name only."""

    text: str


MARK = Name("the stack's mark")


def read_plain(stream: BytesIO) -> Any:
    """Read one pickle.

    Args:
        stream: holds it in memory, so that a false length cannot reserve more; stands behind it afterwards.

    Returns:
        What it describes, of dict, list, tuple, str, bytes, int, float, bool, None and `StoredTensor`.

    Raises:
        RefusedPickleError: it is cut off, malformed or not plain data.
    """
    machine = _Machine()
    try:
        for instruction, argument, _ in pickletools.genops(stream):
            if instruction.name == "STOP":
                return machine.result()
            machine.step(instruction.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        text = str(error).splitlines()
        raise RefusedPickleError(f"malformed pickle: {text[0] if text else type(error).__name__}") from error
    raise RefusedPickleError("the pickle has no end")


class _Machine:
    """The pickle machine: a stack and a memo."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, instruction: str, argument: Any) -> None:
        """Follow one instruction."""
        if instruction in PUSH_ARGUMENT:
            self.stack.append(argument)
        elif instruction in PUSH_NEW:
            self.stack.append(PUSH_NEW[instruction]())
        elif instruction in MEMO_PUT:
            self.memo[len(self.memo) if argument is None else argument] = self.stack[-1]
        elif instruction in MEMO_GET:
            self.stack.append(self.memo[argument])
        elif instruction == "GLOBAL":
            self.push_name(argument.replace(" ", "."))
        elif instruction in STEPS:
            STEPS[instruction](self)
        elif instruction not in IGNORED:
            raise RefusedPickleError(f"pickle instruction {instruction} is not for plain data")

    def result(self) -> Any:
        """What the pickle described, at its end."""
        value = self.pop()
        if self.stack or isinstance(value, (Name, Storage)):
            raise ValueError("it does not end with one value")
        return value

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is MARK:
            raise ValueError("a mark where a value belongs")
        return value

    def pop_to_mark(self) -> list[Any]:
        items = []
        while (value := self.stack.pop()) is not MARK:
            items.append(value)
        return items[::-1]

    def pop_many(self, count: int) -> list[Any]:
        return [self.pop() for _ in range(count)][::-1]

    def top(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise ValueError(f"a {kind.__name__} was expected")
        return self.stack[-1]

    def append(self, items: list[Any]) -> None:
        self.top(list).extend(_data(item) for item in items)

    def set_items(self, items: list[Any]) -> None:
        target = self.top(dict)
        if len(items) % 2:
            raise ValueError("a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Hashing a deeply nested key could exhaust the interpreter's stack.
            if not isinstance(key, (str, int, float, bool, bytes, type(None))):
                raise ValueError("a dictionary key is no text or number")
            target[key] = _data(value)

    def push_tuple(self, items: list[Any]) -> None:
        self.stack.append(tuple(items))

    def push_name(self, text: str) -> None:
        if text not in DTYPES and text not in CALLS:
            raise RefusedPickleError(f"it refers to '{text}', which is not plain data")
        self.stack.append(Name(text))

    def push_spelled_name(self) -> None:
        module, name = self.pop_many(2)
        if not (isinstance(name, str) and isinstance(module, str)):
            raise ValueError("a name that is no text")
        self.push_name(f"{module}.{name}")

    def call(self) -> None:
        function, arguments = self.pop_many(2)
        if not isinstance(function, Name) or function.text not in CALLS:
            raise ValueError("something is called that is no function")
        if not isinstance(arguments, tuple) or len(arguments) > MAX_ARGUMENTS:
            raise ValueError(f"{function.text} is called with unknown arguments")
        self.stack.append(CALLS[function.text](*arguments))

    def drop_state(self) -> None:
        """Ignore what a dictionary carries besides its items; nothing else may carry anything."""
        self.pop()
        self.top(dict)

    def push_storage(self) -> None:
        words = self.pop()
        if not isinstance(words, tuple) or len(words) < 2 or not isinstance(words[1], Name):
            raise ValueError("an unknown reference")
        self.stack.append(storage_of(words, DTYPES[words[1].text]))


def _data(value: Any) -> Any:
    if isinstance(value, (Name, Storage)):
        raise ValueError("a name or storage where a value belongs")
    return value


IGNORED = {"PROTO", "FRAME"}
MEMO_PUT = {"BINPUT", "LONG_BINPUT", "MEMOIZE"}
MEMO_GET = {"BINGET", "LONG_BINGET"}
PUSH_ARGUMENT = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
PUSH_NEW: dict[str, Callable[[], Any]] = {
    "MARK": lambda: MARK,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_SET": list,
    "EMPTY_TUPLE": tuple,
}
STEPS: dict[str, Callable[[_Machine], None]] = {
    "TUPLE": lambda m: m.push_tuple(m.pop_to_mark()),
    "TUPLE1": lambda m: m.push_tuple(m.pop_many(1)),
    "TUPLE2": lambda m: m.push_tuple(m.pop_many(2)),
    "TUPLE3": lambda m: m.push_tuple(m.pop_many(3)),
    "APPEND": lambda m: m.append(m.pop_many(1)),
    "APPENDS": lambda m: m.append(m.pop_to_mark()),
    "ADDITEMS": lambda m: m.append(m.pop_to_mark()),
    "SETITEM": lambda m: m.set_items(m.pop_many(2)),
    "SETITEMS": lambda m: m.set_items(m.pop_to_mark()),
    "STACK_GLOBAL": _Machine.push_spelled_name,
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "BUILD": _Machine.drop_state,
    "BINPERSID": _Machine.push_storage,
}
"""The instructions that plain data needs, by kind; there is no other."""
