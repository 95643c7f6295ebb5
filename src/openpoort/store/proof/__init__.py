"""Rows beside the journal: what an administrator changed is named."""
