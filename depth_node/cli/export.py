"""Write a checkpoint for the live node: depth weights and description, without the pose network of training.

Example: depth export runs/mine/best.safetensors --output mine.safetensors
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the flags of `depth export`."""
    parser.add_argument("checkpoint", type=Path, help="checkpoint of a training run")
    parser.add_argument("--output", type=Path, required=True, help="file to write, *.safetensors")


def run(args: Namespace) -> int:
    """Copy what the live node needs, and say how large it is."""
    from depth_node.networks.checkpoint import load_checkpoint, save_checkpoint

    checkpoint = load_checkpoint(args.checkpoint, with_pose=False)
    save_checkpoint(args.output, checkpoint.info, checkpoint.depth)
    print(f"{args.output}: {checkpoint.info.network.architecture}, {args.output.stat().st_size / 1e6:.1f} MB")
    return 0
