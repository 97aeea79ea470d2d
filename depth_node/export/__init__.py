"""Checkpoints for other runtimes: ONNX and torch.export, checked against the original."""
