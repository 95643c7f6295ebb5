"""The side of the company: a WUS client, diagnose, conformance."""
