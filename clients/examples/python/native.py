"""native.py FILE CALLBACK_URL: hands a recording in, tells how far it is, writes captions beside the recording."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tools_whisper import Client, Job, JobFailed


def tell(job: Job) -> None:
    print(f"{job.progress:3.0f} %  {job.stage}", file=sys.stderr)


def main(source: Path, callback_url: str) -> None:
    with Client(os.environ["TOOLS_WHISPER_URL"], os.environ["TOOLS_WHISPER_TOKEN"]) as client:
        job = client.submit(source, callback_url=callback_url, source_label="From Python")
        try:
            done = client.wait(job.id, on_progress=tell)
        except JobFailed as failed:
            sys.exit(f"{failed.code}: {failed}")
        for segment in client.segments(job.id):
            print(f"{segment.start:7.2f}  {segment.speaker or ''}  {segment.text}")
        client.export(job.id, "srt", source.with_suffix(".srt"), preset="web")
        print(f"{done.title} is shared at {client.share(job.id, expires_in_days=7).url}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
