#!/usr/bin/env bash
# verbit.sh FILE [FINISH_IN]: a job in the shape of Verbit's API, waited for; prints captions.
# FINISH_IN, in seconds, is for tokens of the sandbox, whose jobs never end without it.
set -euo pipefail
api="$TOOLS_WHISPER_URL/api/job"

# call PATH [curl's options]
call() { curl -sS --fail-with-body "$api/$1" -H "Authorization: ApiToken $TOOLS_WHISPER_TOKEN" "${@:2}"; }

id=$(call 'new?v=4' -F profile=automatic -F job_name="From the shell" -F language=en-US | jq .job_id)
call "add_media?v=4&job_id=$id" -F "file=@$1" >/dev/null
call "perform_transcription?v=4&job_id=$id" --json "{${2:+\"finish_in\": $2}}" >/dev/null

while :; do
    case $(call "info?v=4&job_id=$id" | jq -r .job_status) in
        Completed) break ;;
        Failure | Canceled) exit 1 ;;
    esac
    sleep 1
done
call "get_caption?v=4&job_id=$id&caption_format=vtt"
