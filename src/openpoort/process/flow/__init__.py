"""What a kind is and what its steps do to a process; no waiting, no threads."""
