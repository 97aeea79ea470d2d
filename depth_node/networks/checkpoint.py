"""The checkpoint: one safetensors file with all weights and a JSON description that rebuilds the networks.

Tensor names start with the network's name ('depth.', 'pose.'); the description is the metadata entry `depth_node`.
Nothing is ever unpickled.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from depth_node.errors import CheckpointError
from depth_node.networks.checkpoint_info import CheckpointInfo, TrainingCamera, first_line, from_json, to_json
from depth_node.networks.factory import DepthNetwork, build_depth_network, build_pose_network
from depth_node.networks.pose import PoseNetwork

__all__ = [
    "Checkpoint",
    "CheckpointInfo",
    "TrainingCamera",
    "load_checkpoint",
    "read_info",
    "save_checkpoint",
]

METADATA_KEY = "depth_node"
HEADER_BYTES = 9
"""A safetensors file starts with eight bytes of header length and the brace of its JSON header."""


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint; the networks are in evaluation mode on the CPU."""

    info: CheckpointInfo
    depth: DepthNetwork
    pose: PoseNetwork | None = None


def save_checkpoint(
    path: str | Path, info: CheckpointInfo, depth: DepthNetwork, pose: PoseNetwork | None = None
) -> None:
    """Write a checkpoint: the whole file appears at once or not at all.

    Args:
        path: file to write, by convention *.safetensors; missing folders are made.
        info: its description; `network` is taken from `depth.config`, which knows best.
        depth: depth network, on any device.
        pose: pose network, so that training can go on from here.

    Raises:
        CheckpointError: the file cannot be written, or `info.training` is not JSON.
    """
    path = Path(path)
    networks = {"depth": depth} if pose is None else {"depth": depth, "pose": pose}
    tensors = {
        f"{name}.{key}": tensor.detach().cpu().contiguous()
        for name, network in networks.items()
        for key, tensor in network.state_dict().items()
    }
    metadata = {METADATA_KEY: to_json(dataclasses.replace(info, network=depth.config))}
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
        save_file(tensors, temporary, metadata=metadata)
        os.chmod(temporary, 0o644)  # mkstemp makes files that only their owner may read
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot write checkpoint {path}: {first_line(error)}") from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def read_info(path: str | Path) -> CheckpointInfo:
    """The description of a checkpoint, without its weights; raises CheckpointError."""
    return _read(Path(path), with_tensors=False)[0]


def load_checkpoint(path: str | Path, with_pose: bool = True) -> Checkpoint:
    """Rebuild the networks of a checkpoint.

    Args:
        path: a file written by `save_checkpoint`.
        with_pose: also rebuild the pose network, when the file has one.

    Returns:
        Networks in evaluation mode, float32, on the CPU, bit-equal to those saved.

    Raises:
        CheckpointError: the file is missing, damaged, not a depth_node checkpoint, too new, or does not fit
            the network that it names.
    """
    path = Path(path)
    info, tensors = _read(path, with_tensors=True)
    depth = build_depth_network(info.network)
    _fill(depth, tensors, "depth.", path)
    pose = None
    if with_pose and any(name.startswith("pose.") for name in tensors):
        pose = build_pose_network(info.network)
        _fill(pose, tensors, "pose.", path)
        pose.eval()
    return Checkpoint(info, depth.eval(), pose)


def _read(path: Path, with_tensors: bool) -> tuple[CheckpointInfo, dict[str, Tensor]]:
    head, size = _peek(path)
    if not _looks_like_safetensors(head):
        raise CheckpointError(f"{path} is {_what(head)}, not a depth_node checkpoint (*.safetensors of `depth train`)")
    try:
        with safe_open(str(path), framework="pt") as file:
            info = from_json((file.metadata() or {}).get(METADATA_KEY), path)
            tensors = {name: file.get_tensor(name) for name in file.keys()} if with_tensors else {}  # noqa: SIM118
    except SafetensorError as error:
        reason = first_line(error)
        raise CheckpointError(f"{path} is damaged or cut off at {size} bytes, copy it again ({reason})") from error
    return info, tensors


def _peek(path: Path) -> tuple[bytes, int]:
    if not path.exists():
        raise CheckpointError(f"checkpoint {path} does not exist")
    if path.is_dir():
        raise CheckpointError(f"checkpoint {path} is a folder: name the *.safetensors file in it")
    if not path.is_file():
        raise CheckpointError(f"checkpoint {path} is not a regular file")
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
    except OSError as error:
        raise CheckpointError(f"cannot read checkpoint {path}: {error.strerror}") from error
    size = path.stat().st_size
    if size == 0:
        raise CheckpointError(f"checkpoint {path} is empty")
    return head, size


def _looks_like_safetensors(head: bytes) -> bool:
    return len(head) == HEADER_BYTES and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**32


def _what(head: bytes) -> str:
    if head.startswith(b"PK") or head.startswith(b"\x80"):
        return "a pickled PyTorch file"
    try:
        head.decode("ascii")
    except UnicodeDecodeError:
        return "some other file"
    return "a text file"


def _fill(network: nn.Module, tensors: Mapping[str, Tensor], prefix: str, path: Path) -> None:
    given = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    expected = network.state_dict()
    for name in sorted(expected.keys() | given.keys()):
        wanted = tuple(expected[name].shape) if name in expected else "none of this name"
        found = tuple(given[name].shape) if name in given else "missing"
        if wanted != found:
            raise CheckpointError(
                f"{path} does not fit the network it names: tensor {prefix}{name} is {found}, expected {wanted}"
            )
    network.load_state_dict(given)
