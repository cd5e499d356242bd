#!/usr/bin/env bash
# A client of the token API. Needs bash, curl, and jq or python3.
#
#   export TOOLS_URL=https://tools.example.com TOOLS_TOKEN=…
#   docs/client.sh status
#   docs/client.sh submit https://example.com/audio.mp3 https://api.example.com/hook  [field=value …]
#   docs/client.sh submit interview.m4a                 https://api.example.com/hook  [field=value …]
#   docs/client.sh jobs [limit]
#   docs/client.sh job ID
#   docs/client.sh wait ID          until it is completed (the text is printed) or has failed (exit status 1)
#
# Fields of submit: source_label, source_note, model, language, analysis_language, translation_target_languages[], disable_diarization.
set -euo pipefail

: "${TOOLS_URL:?the address of the server}" "${TOOLS_TOKEN:?a personal token}"
API="${TOOLS_URL%/}/api/whisper/transcribe"

# value NAME…: prints one value of the JSON on standard input, such as: value job status
value() {
  if command -v jq >/dev/null; then
    jq -r 'reduce $ARGS.positional[] as $name (.; .[$name]) // ""' --args "$@"
  else
    python3 -c '
import json, sys
told = json.load(sys.stdin)
for name in sys.argv[1:]:
    told = (told or {}).get(name)
print("" if told is None else told)' "$@"
  fi
}

# call PATH [curl's options]: prints the answer. Waits where the server asks for it; tells a refusal and fails.
call() {
  local path=$1 status body head wait
  shift
  body=$(mktemp) head=$(mktemp)
  while :; do
    status=$(curl -sS -o "$body" -D "$head" -w '%{http_code}' -H "Authorization: Bearer $TOOLS_TOKEN" "$@" "$API$path")
    case $status in
      429 | 503)
        wait=$(tr -d '\r' <"$head" | sed -n 's/^[Rr]etry-[Aa]fter: *//p')
        sleep "${wait:-5}"
        ;;
      2*) cat "$body"; rm -f "$body" "$head"; return ;;
      *) echo "$status: $(value message <"$body")" >&2; cat "$body" >&2; echo >&2; rm -f "$body" "$head"; return 1 ;;
    esac
  done
}

submit() {
  local source=$1 callback=$2 fields=() field
  shift 2
  for field in "$@"; do fields+=(--form-string "$field"); done
  if [[ $source == http://* || $source == https://* ]]; then
    fields+=(--form-string "source_url=$source")
  else
    fields+=(-F "media_file=@\"$source\"")
  fi
  # The key makes it safe to send the same once more when the answer was lost.
  call "" -X POST --retry 3 -H "Idempotency-Key: $(date +%s)-$$-$RANDOM" --form-string "callback_url=$callback" "${fields[@]}"
}

# The callback tells the end of a job; where nothing listens for it, ask now and then.
wait_for() {
  local job pause=1
  while :; do
    job=$(call "/jobs/$1")
    case $(value job status <<<"$job") in
      completed) value job transcript_text <<<"$job"; return ;;
      failed) value job failure_error <<<"$job" >&2; return 1 ;;
    esac
    sleep "$pause"
    pause=$((pause < 15 ? pause + 1 : 15))
  done
}

case ${1:-} in
  status) call /status ;;
  jobs) call "/jobs?limit=${2:-100}" ;;
  job) call "/jobs/${2:?the id of a job}" ;;
  submit) submit "${2:?a link or a file}" "${3:?the address to call back}" "${@:4}" ;;
  wait) wait_for "${2:?the id of a job}" ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac
