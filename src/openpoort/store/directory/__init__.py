"""The directory of parties, proposals to change it, and evidence of revocation."""
