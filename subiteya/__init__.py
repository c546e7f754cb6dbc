"""SubiteYa: publishes short videos to many client TikTok accounts."""

__version__ = "0.1.0"
