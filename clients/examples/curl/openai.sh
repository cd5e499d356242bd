#!/usr/bin/env bash
# openai.sh FILE: a transcript in the shape of OpenAI's API, then the same once more as a stream of events.
set -euo pipefail
url="$TOOLS_WHISPER_URL/v1/audio/transcriptions"
auth="Authorization: Bearer $TOOLS_WHISPER_TOKEN"

curl -sS --fail-with-body "$url" -H "$auth" -F "file=@$1" -F model=whisper-1 -F response_format=verbose_json | jq -r .text
curl -sSN --fail-with-body "$url" -H "$auth" -F "file=@$1" -F model=whisper-1 -F stream=true
