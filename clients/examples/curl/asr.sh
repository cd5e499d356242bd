#!/usr/bin/env bash
# asr.sh FILE: captions in the shape of whisper-asr-webservice, in one request.
set -euo pipefail
curl -sS --fail-with-body "$TOOLS_WHISPER_URL/asr?output=srt&language=en" \
    -H "Authorization: Bearer $TOOLS_WHISPER_TOKEN" -F "audio_file=@$1"
