"""Killing a gateway at every point of its work, and looking at what is left."""
