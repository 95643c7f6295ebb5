"""A primary that dies under load, a standby that takes over, and what that costs."""
