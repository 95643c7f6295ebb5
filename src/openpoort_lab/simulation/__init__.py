"""A gateway and its world in one thread: seeded order, simulated time, injected faults."""
