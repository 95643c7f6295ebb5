"""The database itself: connections, the embedded server, partitions, migrations."""
