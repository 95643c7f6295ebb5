"""The worker: claims jobs, has steps done, writes what came of them."""
