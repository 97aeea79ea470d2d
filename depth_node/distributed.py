# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Several processes that work on one task, as `torchrun` starts them: who this one is, and what it shares.

Without torchrun there is one process, and nothing here imports torch.
"""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")
FAILURES, STORE_SECONDS = "depth_node/failures", 5.0
LETTING_GO = 0.1
"""Seconds that gloo's threads get at the end."""


def rank() -> int:
    """The number of this process, 0 to `world_size` - 1 over all machines; 0 without torchrun."""
    return int(os.environ["RANK"]) if world_size() > 1 else 0


def world_size() -> int:
    """The number of processes over all machines; 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


def local_rank() -> int:
    """The number of this process on its machine, which is also that of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0")) if world_size() > 1 else 0


def local_world_size() -> int:
    """The number of processes on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", world_size())) if world_size() > 1 else 1


def is_first() -> bool:
    """Whether this is the process that prints and writes for all."""
    return rank() == 0


def my_share(items: Sequence[T]) -> Sequence[T]:
    """Every `world_size`-th item, beginning with this process's own; see `gather`."""
    return items[rank() :: world_size()]


def gather(items: Sequence[T]) -> list[T] | None:
    """Put the shares of all processes together again; all of them must call it.

    Args:
        items: this process's, one result per item of `my_share`; anything that can be pickled.

    Returns:
        All items in the order they had before `my_share`, in the first process; None in the others.
    """
    if world_size() == 1:
        return list(items)
    import torch.distributed as dist

    shares: list[Any] | None = [None] * world_size() if is_first() else None
    dist.gather_object(list(items), shares, group=_group())
    if shares is None:
        return None
    joined: list[Any] = [None] * sum(len(share) for share in shares)
    for number, share in enumerate(shares):
        joined[number :: world_size()] = share
    return joined


def exchange(items: Sequence[T]) -> list[T]:
    """Like `gather`, but every process gets all items."""
    joined = [gather(items)]
    if world_size() > 1:
        import torch.distributed as dist

        dist.broadcast_object_list(joined, group=_group())
    assert joined[0] is not None
    return joined[0]


def wait_for_all() -> None:
    """Go on when every process has come here: what the first one wrote before is there for all."""
    if world_size() > 1:
        import torch.distributed as dist

        dist.barrier(group=_group())


def largest(value: int) -> int:
    """The largest of all processes' numbers; all of them must call it."""
    if world_size() == 1:
        return value
    import torch
    import torch.distributed as dist

    numbers = torch.tensor([value])
    dist.all_reduce(numbers, dist.ReduceOp.MAX, group=_group())
    return int(numbers)


def total(values: Tensor) -> Tensor:
    """The sum of all processes' tensors, on their device and without gradients; all of them must call it."""
    if world_size() == 1:
        return values
    import torch.distributed as dist

    join()
    summed = values.detach().clone()
    dist.all_reduce(summed)
    return summed


def first_to_fail() -> bool:
    """Whether no other process has asked this before: one message for all of them is enough."""
    if world_size() == 1:
        return True
    import torch.distributed as dist

    try:
        host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        store = dist.TCPStore(host, port, is_master=False, timeout=timedelta(seconds=STORE_SECONDS))
        return int(store.add(FAILURES, 1)) == 1
    except (RuntimeError, KeyError, ValueError):  # whoever kept the store has gone already
        return is_first()


@contextmanager
def only_first_speaks() -> Iterator[None]:
    """Inside, what processes other than the first print goes nowhere."""
    if is_first():
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def join() -> None:
    """Connect the processes that torchrun has started, once; each takes its own GPU where there are any."""
    import torch
    import torch.distributed as dist

    if world_size() == 1 or dist.is_initialized():
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank() % torch.cuda.device_count())
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    atexit.register(_leave)


def _leave() -> None:
    import torch.distributed as dist

    # No reference may outlive this: gloo's threads end with their group, and one that still lets go of a tensor while
    # the interpreter shuts down aborts the process. To let go it needs the interpreter's lock, which the end of the
    # group holds while it waits for the thread: sleeping hands it over before.
    _group.cache_clear()
    if dist.is_initialized():
        time.sleep(LETTING_GO)
        dist.destroy_process_group()


@lru_cache(maxsize=1)
def _group() -> Any:
    """A group over the CPU, whatever training uses; joined by all processes on its first use."""
    import torch.distributed as dist

    join()
    return dist.group.WORLD if dist.get_backend() == "gloo" else dist.new_group(backend="gloo")
