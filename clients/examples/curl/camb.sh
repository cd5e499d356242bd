#!/usr/bin/env bash
# camb.sh FILE: a task in the shape of Camb.ai's API, waited for; prints who said what.
set -euo pipefail
api="$TOOLS_WHISPER_URL/apis"

# call PATH [curl's options]
call() { curl -sS --fail-with-body "$api/$1" -H "x-api-key: $TOOLS_WHISPER_TOKEN" "${@:2}"; }

# 1 is English; GET source-languages has the numbers of the others.
task=$(call transcribe -F "media_file=@$1" -F language=1 | jq -r .task_id)
while :; do
    told=$(call "transcribe/$task")
    case $(jq -r .status <<<"$told") in
        PENDING) sleep 1 ;;
        SUCCESS) break ;;
        *) jq -r .message <<<"$told" >&2 && exit 1 ;;
    esac
done
call "transcription-result/$(jq .run_id <<<"$told")" | jq -r '.transcript[] | "\(.speaker): \(.text)"'
