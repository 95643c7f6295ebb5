"""Entry points into a typed registry; refuses duplicates and runs each plug-in's self-check."""
