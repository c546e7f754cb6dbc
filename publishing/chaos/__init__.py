"""Chaos: a private installation that is broken on purpose while it publishes, and a verdict on what came out."""
