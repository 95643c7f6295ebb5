"""The only room with SQL: PostgreSQL, embedded or by URL."""
