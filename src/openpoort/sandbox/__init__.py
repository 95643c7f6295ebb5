"""What `init` and `demo` need: development PKI, sample messages, demo agencies."""
