"""Each check fails for its own reason, and says what to do."""

from __future__ import annotations

import shutil
import socket
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.broker import running_broker
from tests.doctor.conftest import Change
from whisper_jobs import presence
from whisper_jobs.doctor import examining, packages, programs, site, speakers, speech, storage, work
from whisper_jobs.doctor.finding import Finding, Group, State
from whisper_jobs.speech.diarizers.choose import Standing
from whisper_jobs.states import Lane


def told(finding: Finding) -> str:
    return f"{finding.state.value}: {finding.sentence} {finding.advice}"


# --- speech ---------------------------------------------------------------------------------------


def test_without_models_english_gets_a_small_one_and_swedish_fails(change: Change) -> None:
    assert speech.check_models().state == State.WARN
    english, swedish = speech.check_choice("en"), speech.check_choice("sv")
    assert (english.state, swedish.state) == (State.WARN, State.WARN)
    assert "a small model, moonshine-tiny" in english.sentence
    assert "No model on this server knows Swedish" in swedish.sentence
    assert "models download base" in english.advice
    assert examining.outlook().startswith(
        "A new job would be transcribed here in English, by a small model (moonshine-tiny)"
    )


def test_with_a_model_all_is_well(change: Change, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    # The choice is made by the name; what is in the file is the engine's business.
    (tmp_path / "models" / "ours.pt").write_bytes(b"weights")
    change(default_model="ours")
    assert speech.check_models().sentence == "Whisper models are here: ours."
    assert speech.check_choice("sv").sentence == "A job in Swedish gets Whisper ours, by openai-whisper."
    assert examining.outlook().startswith("A new job would be transcribed here, by Whisper ours (openai-whisper)")


def test_a_model_that_is_cut_off_is_told(change: Change, tmp_path: Path) -> None:
    assert speech.check_whole().state == State.OK
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.pt").write_bytes(b"not all of it")
    (tmp_path / "models" / "faster-whisper-base").mkdir()
    (tmp_path / "models" / "faster-whisper-base" / "model.bin").write_bytes(b"not all of it")
    found = speech.check_whole()
    assert found.sentence == "Damaged or not fully downloaded: base, tiny."
    assert found.advice == "Run `manage.py models download base`."


def test_a_default_model_that_is_not_here_fails_and_is_not_fetched(change: Change, tmp_path: Path) -> None:
    change(default_model="tiny")
    found = speech.check_choice("en")
    assert found.state == State.FAIL and "tiny" in found.sentence
    assert not (tmp_path / "models").exists()


def test_an_engine_that_lacks_a_package_names_it() -> None:
    assert packages.missing("whisper_that_is_not", "json") == ["whisper_that_is_not"]
    assert packages.version("whisper-that-is-not") is None
    found = speech.engine("openai-whisper", version="1", missing=["torch"])
    assert found.state == State.WARN and "torch is not installed" in found.sentence
    assert speech.engine("openai-whisper", version=None, missing=[]).state == State.WARN
    for name in speech.ENGINES:
        assert speech.check_engine(name).state == State.OK, name


def test_a_gpu_is_counted_as_its_driver_tells(tmp_path: Path) -> None:
    driver, nodes = tmp_path / "gpus", tmp_path / "dev"
    nodes.mkdir()
    assert speech.gpus(driver, nodes) == 0
    for name in ("nvidia0", "nvidiactl"):
        (nodes / name).touch()
    assert speech.gpus(driver, nodes) == 1
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (driver / name).mkdir(parents=True)
    assert speech.gpus(driver, nodes) == 2


@pytest.mark.parametrize(
    ("devices", "torch_cuda", "asked", "state"),
    [
        (0, None, "auto", State.OK),
        (0, None, "cuda", State.FAIL),
        (1, None, "auto", State.WARN),
        (1, None, "cpu", State.OK),
        (1, "12.8", "cuda", State.OK),
    ],
)
def test_a_gpu_that_is_asked_for_or_left_idle_is_told(
    devices: int, torch_cuda: str | None, asked: str, state: State
) -> None:
    assert speech.gpu(devices, torch_cuda=torch_cuda, asked=asked).state == state


def test_the_cuda_of_torch_is_read_without_importing_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "folder", lambda module: tmp_path)
    for written, read in (("cuda: Optional[str] = None", None), ("cuda: Optional[str] = '12.8'", "12.8")):
        (tmp_path / "version.py").write_text(f"debug = False\n{written}\nhip: Optional[str] = None\n")
        assert speech.torch_cuda() == read


def test_a_relay_is_told_with_what_is_wrong_about_it(change: Change) -> None:
    assert speech.check_relay().sentence == "No sound leaves this machine: there is no relay."
    change(relay_base_url="http://127.0.0.1:1/v1")
    assert "TOOLS_BACKENDS" in told(speech.check_relay())
    change(backends="AB")
    assert "TOOLS_OUTBOUND_ALLOW" in told(speech.check_relay())
    change(relay_base_url="https://api.example.com/v1")
    assert speech.check_relay().state == State.OK
    cache.set("relay:down", "The relay has a problem.")
    assert told(speech.check_relay()).startswith(
        "fail: The relay failed when it was used last: The relay has a problem."
    )


# --- speakers -------------------------------------------------------------------------------------

NEITHER = (Standing("pyannote", False, "No model."), Standing("clustering", False, "No weights."))
OURS = (NEITHER[0], Standing("clustering", True, ""))
GATED = (Standing("pyannote", True, ""), OURS[1])


def test_speakers_are_told_apart_by_what_is_there() -> None:
    assert told(speakers.speakers(NEITHER)).startswith("warn: Speakers can't be told apart: No model. No weights.")
    assert speakers.speakers(OURS).sentence == "Speakers are told apart by clustering."
    assert speakers.speakers(GATED).sentence == "Speakers are told apart by pyannote."


def test_the_gated_model_is_asked_for_with_a_token() -> None:
    assert speakers.gated(GATED, installed=True, token="").state == State.OK
    assert "HF_TOKEN" in speakers.gated(OURS, installed=True, token="").advice
    assert "HF_TOKEN" not in speakers.gated(OURS, installed=True, token="hf_x").advice
    assert "not installed" in speakers.gated(OURS, installed=False, token="").sentence


# --- media ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ("2026.10.26", State.OK),
        ("2026.7.27", State.WARN),
        ("2026.10.26.232956.dev0", State.OK),
        ("2026.13.40", State.WARN),
        ("unknown", State.WARN),
        (None, State.FAIL),
    ],
)
def test_yt_dlp_is_as_old_as_its_version_says(version: str | None, state: State) -> None:
    assert programs.downloader(version, date(2026, 10, 27)).state == state


def test_ninety_days_are_not_yet_old() -> None:
    assert programs.downloader("2026.01.01", date(2026, 4, 1)).state == State.OK
    assert "91 days old" in programs.downloader("2026.01.01", date(2026, 4, 2)).sentence


def test_the_decoder_is_told_with_its_ffmpeg() -> None:
    assert programs.decoder(None, []).state == State.FAIL
    assert "libavcodec 62.28" in programs.decoder("18.1.0", ["libavcodec-5e6b81c2.so.62.28.102"]).sentence
    assert programs.decoder("18.1.0", ["libsomething.so"]).state == State.OK
    assert programs.check_decoder().state == State.OK


# --- storage --------------------------------------------------------------------------------------


def test_a_disk_below_its_reserve_fails(change: Change, settings: Any) -> None:
    assert storage.check_disk().state == State.OK
    free = shutil.disk_usage(settings.DATA_DIR).free // storage.MB
    change(disk_reserve_mb=free - 500)
    assert storage.check_disk().state == State.WARN
    change(disk_reserve_mb=free + 5000)
    assert told(storage.check_disk()).startswith("fail:") and "no recording is taken" in storage.check_disk().sentence
    assert storage.check_uploads().state == State.WARN


def test_a_proxy_in_front_must_let_uploads_through(change: Change) -> None:
    change(upload_max_mb=100)
    assert told(storage.check_uploads()) == "ok: Files of up to 100 MB are taken. "
    change(public_url="https://whisper.example.org")
    assert "client_max_body_size 100m" in storage.check_uploads().advice


def test_a_data_folder_that_others_may_enter_is_told(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(0o700)
    assert storage.check_folder().state == State.OK
    tmp_path.chmod(0o755)
    assert storage.check_folder().advice == f"chmod 700 {tmp_path}"
    settings.DATA_DIR = tmp_path / "gone"
    assert storage.check_folder().state == State.FAIL


def test_tables_that_are_missing_fail(db: None) -> None:
    assert storage.check_database().state == State.OK
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied(*max(one for one in recorder.applied_migrations() if one[0] == "whisper"))
    assert "missing" in storage.check_database().sentence
    assert storage.check_database().state == State.FAIL


# --- what does the work ---------------------------------------------------------------------------


def test_a_server_that_is_not_running_is_no_failure(change: Change, db: None, tmp_path: Path) -> None:
    change(data_dir=tmp_path)
    assert work.check_broker().advice == work.check_workers().advice == "Start it with `script/server`."
    assert work.check_broker().state == State.WARN


def test_a_broker_that_does_not_answer_fails(change: Change, db: None, tmp_path: Path) -> None:
    change(redis_url="redis://127.0.0.1:1/0")
    assert "TOOLS_REDIS_URL" in told(work.check_broker())
    change(redis_url="", data_dir=tmp_path)
    (tmp_path / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "run" / "redis.sock"))
        assert work.check_broker().state == State.FAIL
        assert "the broker" not in work.check_clock().sentence


def test_a_lane_without_a_worker_fails(change: Change, db: None) -> None:
    change(redis_url="redis://127.0.0.1:1/0")
    presence.seen(presence.me(), [Lane.FETCH, Lane.SPEECH, Lane.ENRICH])
    assert told(work.check_workers()).startswith("fail: No worker is up for: deliver.")
    presence.seen(presence.me(), list(Lane))
    assert work.check_workers().state == State.OK


def test_the_clock_of_a_real_broker_agrees(change: Change, db: None) -> None:
    with running_broker():
        assert work.check_broker().state == State.OK
        assert "the broker" in work.check_clock().sentence
        assert work.check_clock().state == State.OK


def test_a_clock_that_is_wrong_is_told_with_its_direction() -> None:
    assert work.clock({}).state == State.OK
    assert work.clock({"the broker": 3.0, "the database": -4.0}).state == State.OK
    found = work.clock({"the broker": 1.0, "the database": -20.0})
    assert (found.state, found.sentence) == (
        State.WARN,
        "This machine's clock is 20 s ahead of that of the database.",
    )
    assert work.clock({"the broker": 90.0}).sentence == "This machine's clock is 90 s behind that of the broker."
    assert work.clock({"the broker": 90.0}).state == State.FAIL


# --- the site -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, State.OK),
        ({"bind": "::1"}, State.OK),
        ({"bind": "0.0.0.0"}, State.WARN),
        ({"public_url": "http://whisper.example.org"}, State.WARN),
        ({"public_url": "https://whisper.example.org"}, State.WARN),
        ({"public_url": "https://whisper.example.org", "trusted_proxies": 1}, State.OK),
    ],
)
def test_an_address_without_https_or_with_an_uncounted_proxy_is_told(
    change: Change, fields: dict[str, Any], state: State
) -> None:
    change(**fields)
    assert site.check_address().state == state


def test_a_secret_that_is_easy_to_guess_or_to_read_fails(change: Change, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    for weak in ("secret", "a" * 64):
        change(secret_key=weak)
        assert site.check_secret().state == State.FAIL
        assert weak not in told(site.check_secret())
    change(secret_key="")
    (tmp_path / "secret_key").write_text("x")
    (tmp_path / "secret_key").chmod(0o644)
    assert site.check_secret().advice == f"chmod 600 {tmp_path / 'secret_key'}"
    (tmp_path / "secret_key").chmod(0o600)
    assert site.check_secret().state == State.OK


def test_debug_pages_fail_where_others_reach_them(change: Change) -> None:
    assert site.check_debug().state == State.OK
    change(debug=True)
    assert site.check_debug().state == State.WARN
    change(bind="0.0.0.0")
    assert site.check_debug().state == State.FAIL


def test_mail_is_missed_where_people_need_it(change: Change) -> None:
    assert site.check_mail().state == State.OK
    change(signup=True)
    assert site.check_mail().state == State.WARN
    change(email_url="smtp+tls://user:password@mail.example.org:587")
    assert site.check_mail().state == State.OK
    assert "password" not in told(site.check_mail())


def test_limits_are_missed_where_anybody_may_join(change: Change) -> None:
    assert site.check_limits().state == State.OK
    change(signup=True)
    assert site.check_limits().state == State.WARN
    change(monthly_minutes=600)
    assert "600 minutes a month" in site.check_limits().sentence


# --- all of it ------------------------------------------------------------------------------------


def test_every_check_bears_the_name_under_which_it_is_listed(change: Change, db: None) -> None:
    for group in examining.CHECKS:
        [section] = examining.examine([group])
        assert [finding.name for finding in section.findings] == [name for name, _ in examining.CHECKS[group]]
        assert all(finding.sentence for finding in section.findings)


def test_a_check_that_breaks_is_a_failure_and_costs_no_other(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Finding:
        raise RuntimeError("a path: /secret")

    one, *others = examining.CHECKS[Group.MEDIA]
    monkeypatch.setitem(examining.CHECKS, Group.MEDIA, ((one[0], broken), *others))
    [section] = examining.examine([Group.MEDIA])
    assert [finding.state for finding in section.findings] == [State.FAIL, State.OK]
    assert "RuntimeError" in section.findings[0].sentence
    assert section.state == State.FAIL


def test_it_is_quick(change: Change, db: None) -> None:
    began = time.process_time()
    examining.examine()
    assert time.process_time() - began < 1.5
