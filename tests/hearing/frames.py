"""WebSocket frames by hand, for clients that no library would be."""

from __future__ import annotations

TEXT, BINARY = 1, 2


def handshake(path: str) -> bytes:
    """What comes before the first frame; the answer begins with HTTP/1.1 101."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def masked(kind: int, data: bytes) -> bytes:
    """A whole frame under a mask of zeros, which is one as any other."""
    size = len(data)
    short = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2) if size < 1 << 16 else b""
    return bytes([0x80 | kind]) + (short or b"\xff" + size.to_bytes(8)) + bytes(4) + data
