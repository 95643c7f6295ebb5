"""The journal: entries, their Merkle tree, checkpoints, and the audit of all of it."""
