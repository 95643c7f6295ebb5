"""The wiring: builds store, engine and doors; the only room that knows everyone."""
