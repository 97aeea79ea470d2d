"""Whether a recording is fit for training, and what to do if not: numbers, findings, charts and a page."""
