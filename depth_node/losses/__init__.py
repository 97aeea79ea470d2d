"""Losses: a pure function first, a thin module after it, one loss a file."""
