"""The demo agencies: what they receive, how they behave, what they send."""
