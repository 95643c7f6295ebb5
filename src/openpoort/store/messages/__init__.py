"""Messages and their processes: written, changed, looked up, deleted."""
