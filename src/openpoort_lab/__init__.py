"""openpoort-lab: what measures and breaks a gateway; no part of one."""
