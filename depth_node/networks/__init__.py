"""Both papers' networks and the checkpoint that stores them. Nothing here knows a camera."""
