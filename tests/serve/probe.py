"""A web process with an application that says what it was given. Run as `python -m tests.serve.probe PORT`."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from config.preflight import listen
from config.web import serve

STATUS = Path("/proc/self/status")
#: Bytes of the answer to "much".
MANY = 3 << 20


def memory_kb(field: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await echo(receive, send)
        return
    if scope["path"] == "/full":
        raise OSError(28, "No space left on device")
    if scope["path"].startswith("/give/"):
        await give(int(scope["path"].rpartition("/")[2]), send)
        return
    digest, size, pieces = hashlib.sha256(), 0, 0
    while True:
        message = await receive()
        digest.update(message.get("body", b""))
        size, pieces = size + len(message.get("body", b"")), pieces + 1
        if not message.get("more_body"):
            break
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    told = {
        "sha256": digest.hexdigest(),
        "size": size,
        "pieces": pieces,
        "headers": headers,
        "extensions": scope["extensions"],
        "peak_kb": memory_kb("VmHWM"),
        "left": os.listdir(tempfile.gettempdir()),
    }
    text = json.dumps(told).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


async def give(megabytes: int, send: Any) -> None:
    """Sends so much, as fast as it is taken."""
    length = b"%d" % (megabytes << 20)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Length", length)]})
    for _ in range(megabytes):
        await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def echo(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif message["type"] == "websocket.receive":
            text = "x" * MANY if message["text"] == "much" else message["text"]
            await send({"type": "websocket.send", "text": text})
        else:
            return


if __name__ == "__main__":
    serve(application, listen("127.0.0.1", int(sys.argv[1])))
