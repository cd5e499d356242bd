"""Kill -9 of the worker that translates, in a whole server: what was translated is never asked for again."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.figure import wait_until
from benchmarks.server import Server
from benchmarks.sound import speech, write_wav
from tests.enrichment.model_server import Asked, ModelServer, Reply, captions_of, helpful, is_translation
from tests.serve.prepared import prepare

pytestmark = pytest.mark.serve


def kept(server: Server) -> int:
    return int(server.rows("SELECT count(*) FROM whisper_translatedsegment")[0][0])


def told(server: Server, job_id: int) -> dict[str, Any]:
    return dict(server.admin.get(f"/api/whisper/jobs/{job_id}")["job"])


def test_the_death_of_the_worker_costs_only_the_call_under_way(tmp_path: Path, model_server: ModelServer) -> None:
    def slow(asked: Asked) -> Reply:
        time.sleep(0.3)
        return helpful(asked)

    model_server.behaviour = slow
    # So little at once that every caption is a question of its own.
    variables = {"OPENAI_BASE_URL": model_server.url, "OPENAI_API_KEY": "k", "TOOLS_OPENAI_CONTEXT_TOKENS": "400"}
    variables["TOOLS_ENRICH_WORKERS"] = "1"
    file = write_wav(tmp_path / "talk.wav", speech(None, 240))
    asked = {"analysis_language": "en", "translation_target_languages": "sv", "disable_diarization": "true"}
    with Server(prepare(tmp_path / "data"), CLOCKWORK_FACTOR="0.001", **variables) as server:
        job_id = server.admin.submit_file(file, model="clockwork", **asked)
        wait_until(lambda: kept(server) >= 3, "some captions are translated", seconds=120, every=0.05)
        os.kill(server.pids()["worker-enrich-1"], signal.SIGKILL)
        server.wait(job_id, seconds=60)
        job = told(server, job_id)
        segments = server.admin.get(job["segments_url"])["segments"]
        (translation,) = job["translations"]
        captions = [one["text"] for one in server.admin.get(f"{job['segments_url']}?language=sv")["segments"]]
    assert job["analysis"]["state"] == translation["state"] == "done"
    assert captions == [one["text"].upper() for one in segments]
    questions = [json.dumps(captions_of(one)) for one in model_server.asked if is_translation(one)]
    assert len(set(questions)) == len(segments) >= 8
    again = [times - 1 for times in Counter(questions).values() if times > 1]
    assert again in ([], [1]), "at most the call that was under way is made again"
    parts = Counter(one["messages"][1]["content"] for one in model_server.asked if not is_translation(one))
    assert len(parts) > 2
    assert max(parts.values()) == 1
