"""Measurements by command that no bench covers: each answers one question of the docs."""
