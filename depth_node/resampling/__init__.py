"""Two-stage training: finding the frames whose depth became infinite, and leaving them out (fact sheet A.7)."""
