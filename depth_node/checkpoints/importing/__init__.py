"""Official files of other projects to our checkpoint. Their pickles are read as plain data: nothing in them is run."""
