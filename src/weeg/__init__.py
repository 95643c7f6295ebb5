"""Weeg: compare scenarios on the 17 criteria. Stands alone; imports nothing of openpoort."""
