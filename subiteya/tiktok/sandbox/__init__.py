"""A strict TikTok of our own: same calls, same refusals, faults on demand. Shares no code with the client."""

from subiteya.tiktok.sandbox.grants import SCOPES
from subiteya.tiktok.sandbox.sandbox import Sandbox
from subiteya.tiktok.sandbox.server import SandboxServer, serve
from subiteya.tiktok.sandbox.settings import SandboxSettings

__all__ = ["SCOPES", "Sandbox", "SandboxServer", "SandboxSettings", "serve"]
