"""Development PKI, demo agency, sample messages, demo, bench."""
