"""Statuses and return messages, for whoever may see them."""
