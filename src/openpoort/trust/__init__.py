"""Verdicts on certificates and algorithms, as values. No I/O: evidence comes in as arguments."""
