"""A small taxonomy with one of everything, and instances that each try one clause of a standard.

For `openpoort agreement --cases`: what the compiled index says beside the reference processor.
"""
