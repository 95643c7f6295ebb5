"""The gateway as a client: delivering to agencies."""
