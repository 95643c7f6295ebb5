"""XML signatures (xmldsig-core): canonical form, SignedInfo, and the WS-Security profile."""
