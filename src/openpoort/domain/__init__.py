"""The words of the business: values without I/O, shared by every room above."""
