"""Training and scoring of semantic networks."""
