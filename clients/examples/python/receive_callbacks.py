"""receive_callbacks.py [PORT]: takes callbacks, checks that they are genuine, and prints what they tell.

The token's secret, `whsec_…`, is in TOOLS_WHISPER_SECRET.
"""

from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tools_whisper import webhooks

MOST_BYTES = 64 << 20
#: A callback may come twice. A real receiver keeps these in its database.
taken: set[str] = set()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if length > MOST_BYTES:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        try:
            event = webhooks.verify(dict(self.headers.items()), body, os.environ["TOOLS_WHISPER_SECRET"])
        except webhooks.NotGenuine as error:
            self.send_error(401, explain=str(error))
            return
        if self.headers["webhook-id"] not in taken:
            taken.add(self.headers["webhook-id"])
            job = event["job"] or {}
            print(event["event"], job.get("job_id"), job.get("status"), flush=True)
        # Within 15 seconds, or it is sent again: do what takes longer afterwards.
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 8080), Receiver)
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
