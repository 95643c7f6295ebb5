"""Taxonomies as files: read once with suspicion, kept per installation, never fetched."""
