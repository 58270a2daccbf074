"""The signature that LeadDone asks for: lower-case hex HMAC-SHA256 of exactly the bytes sent."""

from __future__ import annotations

import hmac
import re

from leaddone_pipeline.errors import SignatureInvalid

__all__ = ["sign", "verify"]

_SHAPE = re.compile("[0-9a-f]{64}")


def sign(body: bytes, secret: str) -> str:
    """Sign a body; the secret is taken as its UTF-8 bytes."""
    # surrogatepass: the error of a plain encode() would carry the secret with it.
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), body, "sha256").hex()


def verify(body: bytes, signature: str, secret: str) -> None:
    """Check a signature in constant time.

    Raises:
        SignatureInvalid: it is not of this body with this secret, or no signature at all.
    """
    if not _SHAPE.fullmatch(signature) or not hmac.compare_digest(signature, sign(body, secret)):
        raise SignatureInvalid(
            "the signature does not belong to this body and secret",
            remedy="sign exactly the bytes that are sent, with the secret of the client id that is sent",
        )
