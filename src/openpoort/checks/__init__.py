"""Is this filing right, and if not, what must the sender change."""
