"""Weeg: compare scenarios on the 17 criteria. Stands alone; imports nothing of openpoort.

A decision is a folder of plain files. Reading (`folder`) turns them into frozen values and refuses
what cannot be read, with file, row and column. Weighing (`weigh`) is arithmetic on those values:
no clock, no network, no chance but the seed in the folder. Showing (`terminal`, `report`, `diff`)
prints what was weighed. The words of both languages stand in `texts.yaml`.
"""

VERSION = "1"
"""Version of the arithmetic: raised when the same folder would give other numbers."""
