"""openai_api.py FILE: OpenAI's own client. Address and key are all that differs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from openai import OpenAI


def main(recording: Path) -> None:
    client = OpenAI(base_url=os.environ["TOOLS_WHISPER_URL"] + "/v1", api_key=os.environ["TOOLS_WHISPER_TOKEN"])
    told = client.audio.transcriptions.create(
        file=recording, model="whisper-1", response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    print(f"{told.language}, {float(told.duration):.1f} s: {told.text}")
    for segment in told.segments or []:
        print(f"{segment.start:7.2f}  {segment.text}")
    for event in client.audio.transcriptions.create(file=recording, model="whisper-1", stream=True):
        if event.type == "transcript.text.delta":
            print(event.delta, end="", flush=True)
    print()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
