"""Where plug-ins from outside will register (entry points into a typed registry). None can yet."""
