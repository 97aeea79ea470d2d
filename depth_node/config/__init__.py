"""Configuration dataclasses: the only place where a default is written."""
