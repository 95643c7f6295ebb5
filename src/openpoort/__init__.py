"""openpoort: an open gateway for messages between companies and government agencies.

The rooms and their floors are drawn in docs/explanation/house.md; import-linter holds them.
"""

__version__ = "0.1.0"
