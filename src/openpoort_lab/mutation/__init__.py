"""Mistakes put into the source on purpose, one at a time, to see whether a test notices.

`mutants` makes them: those of cosmic-ray in Python, ours in the SQL text that the library cannot
see into and in statements left out. `trial` runs the tests of a module against each, in a copy of
the source that Python finds before the work tree. Run by `python -m openpoort_lab.mutation`.
"""
