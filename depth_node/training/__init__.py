"""Self-supervised training with Lightning."""
