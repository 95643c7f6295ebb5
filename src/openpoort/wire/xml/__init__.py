"""The one hardened parser, and texts that are too long for a tree."""
