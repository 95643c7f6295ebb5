"""Acts of a person on a gateway, one interface for the command line and the console."""
