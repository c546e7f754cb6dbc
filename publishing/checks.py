"""System checks: what must be there before a worker starts."""
