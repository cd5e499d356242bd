"""verbit_api.py FILE [FINISH_IN]: a job in the shape of Verbit's API, waited for; prints captions.

FINISH_IN, in seconds, is for tokens of the sandbox, whose jobs never end without it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import httpx2


def main(recording: Path, finish_in: int | None) -> None:
    api = httpx2.Client(
        base_url=os.environ["TOOLS_WHISPER_URL"] + "/api/job/",
        headers={"Authorization": f"ApiToken {os.environ['TOOLS_WHISPER_TOKEN']}"},
        params={"v": 4},
        timeout=60,
    )
    with api:
        made = api.post("new", data={"profile": "automatic", "job_name": "From Python", "language": "en-US"})
        made.raise_for_status()
        job = {"job_id": made.json()["job_id"]}
        with recording.open("rb") as file:
            api.post("add_media", params=job, files={"file": file}).raise_for_status()
        options = {} if finish_in is None else {"finish_in": finish_in}
        api.post("perform_transcription", params=job, json=options).raise_for_status()
        while (status := api.get("info", params=job).raise_for_status().json()["job_status"]) == "In Progress":
            time.sleep(1)
        if status != "Completed":
            sys.exit(status)
        print(api.get("get_caption", params={**job, "caption_format": "srt"}).raise_for_status().text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else None)
