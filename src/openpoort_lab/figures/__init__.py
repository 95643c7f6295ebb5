"""Recorded figures, and the pages of the docs that are made from code."""
