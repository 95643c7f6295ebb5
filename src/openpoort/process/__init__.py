"""What happens to a message between the two doors: intake, flow, engine, retry, reading."""
