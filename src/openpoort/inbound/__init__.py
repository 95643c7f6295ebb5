"""The doors: HTTP in, values through, HTTP out."""
