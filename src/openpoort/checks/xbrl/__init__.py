"""XBRL 2.1, dimensions and formulas: the reference processor in processes of its own."""
