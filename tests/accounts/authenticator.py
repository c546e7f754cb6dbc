"""A passkey in memory: it makes and signs what a browser's would (WebAuthn, ES256, no attestation)."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, NEW_KEY = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """`origin` is the page that asks it, `host` whom the passkey belongs to."""

    origin: str = "http://localhost:8000"
    host: str = "localhost"
    name: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    count: int = 0

    def made(self, challenge: str) -> dict[str, Any]:
        """The answer to a challenge for a new passkey."""
        public = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.name).to_bytes(2, "big") + self.name + cose
        told = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._data(NEW_KEY) + attested})
        asked = self._asked("webauthn.create", challenge)
        return self._answer({"clientDataJSON": asked, "attestationObject": told})

    def signed(self, challenge: str) -> dict[str, Any]:
        """The answer to a challenge for its use."""
        self.count += 1
        data, asked = self._data(0), self._asked("webauthn.get", challenge)
        signature = self.key.sign(data + hashlib.sha256(asked).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer({"clientDataJSON": asked, "authenticatorData": data, "signature": signature})

    def _data(self, flags: int) -> bytes:
        flags |= PRESENT | VERIFIED
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _asked(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, response: dict[str, bytes]) -> dict[str, Any]:
        name = bytes_to_base64url(self.name)
        texts = {part: bytes_to_base64url(value) for part, value in response.items()}
        return {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}, "response": texts}
