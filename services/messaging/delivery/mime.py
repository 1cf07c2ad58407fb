"""E-mail as bytes (RFC 5322, RFC 2045, RFC 2047), written directly.

The standard library's `email` reads what is written here (the tests have it do so) but takes
milliseconds to write it: too long for a thousand messages a second.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import Final

Header = tuple[str, str]

# An encoded word has 75 characters at most (RFC 2047 2), of which 12 are its frame.
_WORD_BYTES: Final = 45
_PLAIN_LENGTH: Final = 70
_FOLD: Final = "\r\n "


def unstructured(text: str) -> str:
    """One line of text as the value of a header such as Subject."""
    plain = text.isascii() and len(text) <= _PLAIN_LENGTH and "=?" not in text
    return text if plain else _encoded_words(text)


def mailbox(name: str | None, address: str) -> str:
    """A person in From, To or Reply-To; `address` is ASCII and has been checked."""
    if not name:
        return address
    if name.isascii() and len(name) <= _PLAIN_LENGTH and "=?" not in name:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{_encoded_words(name)}{_FOLD}<{address}>"


def document(
    headers: Iterable[Header], parts: Sequence[tuple[str, str]], *, boundary: str
) -> bytes:
    """A whole message of one part, or of several alternatives, the best last.

    A part is its type (`text/html`) and its text. `boundary` begins with `=_`, which cannot occur
    in quoted-printable text. Raises ValueError when a header would hold more than one header.
    """
    if len(parts) == 1:
        return _headers(headers) + _part(*parts[0])
    kind = ("Content-Type", f'multipart/alternative; boundary="{boundary}"')
    opening, closing = f"\r\n--{boundary}\r\n".encode(), f"\r\n--{boundary}--\r\n".encode()
    body = b"".join(opening + _part(*part) for part in parts)
    return _headers([*headers, kind]) + body + closing


def _headers(headers: Iterable[Header]) -> bytes:
    lines = []
    for name, value in [*headers, ("MIME-Version", "1.0")]:
        if any(c in "\r\n" for c in value.replace(_FOLD, "")):
            raise ValueError(f"the header {name} holds a line end")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode("ascii")


def _part(kind: str, text: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    encoded = binascii.b2a_qp(lines.encode(), istext=True).replace(b"\n", b"\r\n")
    head = (
        f'Content-Type: {kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode() + encoded + (b"" if encoded.endswith(b"\r\n") else b"\r\n")


def _encoded_words(text: str) -> str:
    words: list[bytes] = [b""]
    for char in text:
        octets = char.encode()
        # A character is never split between two words (RFC 2047 5).
        if len(words[-1]) + len(octets) > _WORD_BYTES:
            words.append(b"")
        words[-1] += octets
    return _FOLD.join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words)
