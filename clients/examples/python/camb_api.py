"""camb_api.py FILE: a task in the shape of Camb.ai's API, waited for; prints who said what."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import httpx2

#: GET source-languages has the numbers of the others.
ENGLISH = "1"


def main(recording: Path) -> None:
    api = httpx2.Client(
        base_url=os.environ["TOOLS_WHISPER_URL"] + "/apis/",
        headers={"x-api-key": os.environ["TOOLS_WHISPER_TOKEN"]},
        timeout=60,
    )
    with api, recording.open("rb") as file:
        made = api.post("transcribe", data={"language": ENGLISH}, files={"media_file": file}).raise_for_status()
        task = f"transcribe/{made.json()['task_id']}"
        while (told := api.get(task).raise_for_status().json())["status"] == "PENDING":
            time.sleep(1)
        if told["status"] != "SUCCESS":
            sys.exit(f"{told['status']}: {told.get('message')}")
        result = api.get(f"transcription-result/{told['run_id']}").raise_for_status().json()
        for one in result["transcript"]:
            print(f"{one['start']:7.2f}  {one['speaker']}: {one['text']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
