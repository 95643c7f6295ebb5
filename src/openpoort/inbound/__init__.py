"""The doors: TLS, HTTP and the WUS services; the only room that knows the web framework."""
