"""Typed settings from openpoort.toml and the environment; read once, by app and cli only."""
