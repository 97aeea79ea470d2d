"""The run folder: settings, metrics, checkpoints, report, resuming."""
