"""A taxonomy compiled once, and instances judged against it without the reference processor.

The judge says only what it can prove: every shape of document it was not written for raises
`Undecided` with a reason, and the filing goes to the processor. Silence of this room is never a
verdict. Only `compiler.py` and `assertions.py` import the processor, in a process of their own.
"""
