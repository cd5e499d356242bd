#!/usr/bin/env bash
# native.sh FILE CALLBACK_URL: hands a recording in, waits for its end, prints captions.
set -euo pipefail
api="$TOOLS_WHISPER_URL/api/whisper/transcribe"
auth="Authorization: Bearer $TOOLS_WHISPER_TOKEN"

# The key makes it safe to send this again when the answer was lost: it makes no second job.
id=$(curl -sS --fail-with-body "$api" -H "$auth" -H "Idempotency-Key: $(date +%s)-$$-$RANDOM" \
    -F "media_file=@$1" -F "callback_url=$2" -F source_label="From the shell" | jq .job.id)

while :; do
    job=$(curl -sS --fail-with-body "$api/jobs/$id" -H "$auth")
    case $(jq -r .job.status <<<"$job") in
        completed) break ;;
        failed) jq -r .job.failure_error <<<"$job" >&2 && exit 1 ;;
    esac
    sleep 1
done
curl -sS --fail-with-body "$api/jobs/$id/exports/srt?preset=web" -H "$auth"
