"""Networks on disk: the safetensors container, depth and semantic checkpoints, the hub, the authors' files."""
