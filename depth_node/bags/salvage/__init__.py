"""What can still be read of damaged bags."""
