"""Sessions with a live process and an ear behind them: words, commits, what is cleared, and what becomes of it all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.clockwork import heard
from tests.hearing.talking import SECOND, live, rows, settled, silence, speech, words_of
from tests.realtime.calling import COMPLETED, DELTA, TRANSCRIPTION, Caller, append, calling, key_of, session, update
from whisper_jobs.dialects import live_socket
from whisper_jobs.dialects.openai.realtime_session import ULAW
from whisper_jobs.dialects.openai.realtime_sound import as_pcm
from whisper_jobs.hearing import session as sessions
from whisper_jobs.hearing import tending
from whisper_jobs.hearing.server import Live
from whisper_jobs.models import Job, LiveSession
from whisper_jobs.speech.windows import Pcm, as_floats

pytestmark = [
    pytest.mark.engine,
    pytest.mark.asyncio,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_connection_left"),
]


async def finished(caller: Caller, commits: int) -> list[str]:
    """The transcripts, when the items of so many commits of the client's own are complete, and all that ended by themselves."""
    while not _is_finished(caller, commits):
        await caller.until(COMPLETED)
    return [one["transcript"] for one in caller.of(COMPLETED)]


def _is_finished(caller: Caller, commits: int) -> bool:
    committed = len(caller.of("input_audio_buffer.committed"))
    own = committed - len(caller.of("input_audio_buffer.speech_stopped"))
    return own == commits and len(caller.of(COMPLETED)) == committed


def ulaw(samples: Pcm) -> bytes:
    """The nearest code for each sample."""
    values = np.frombuffer(as_pcm(bytes(range(256)), ULAW), "<i2").astype(np.int32)
    codes = np.argsort(values, kind="stable")
    places = np.searchsorted(values[codes], samples).clip(0, 255)
    return bytes(codes[places].astype(np.uint8))


async def recording() -> Job:
    row = await settled(lambda: LiveSession.objects.filter(job__isnull=False).first())
    job: Job = await rows(lambda: Job.objects.get(pk=row.job_id))
    return job


async def test_words_come_turn_by_turn_and_are_the_recordings_words(house: Live, gina: User) -> None:
    async with session(gina) as caller:
        await caller.speak(speech()[: 6 * SECOND])
        started = await caller.until("input_audio_buffer.speech_started")
        # Words are told while somebody speaks.
        await caller.until(DELTA)
        await caller.speak(speech()[6 * SECOND :])
        await caller.speak(silence(1.5))
        await caller.commit()
        text = " ".join(filter(None, await finished(caller, 1)))
        items = caller.of(COMPLETED)
    assert started["audio_start_ms"] < 2000
    assert len(items) > 3
    assert all(caller.words_of(one["item_id"]) == one["transcript"] for one in items)
    job = await recording()
    assert (job.owner_id, job.channel, job.engine) == (gina.pk, "api", "clockwork")
    assert text == await rows(lambda: words_of(job.pk))
    assert len(text.split()) > 10


async def test_a_commit_completes_all_that_was_appended_before_it(house: Live, gina: User) -> None:
    async with session(gina, turn_detection=None) as caller:
        for begin in (0, 4):
            await caller.speak(speech()[begin * SECOND : (begin + 4) * SECOND])
            await caller.commit()
        first, second = await finished(caller, 2)
        assert not caller.of("input_audio_buffer.speech_started")
        usage = [one["usage"]["seconds"] for one in caller.of(COMPLETED)]
    assert usage == [pytest.approx(4.0, abs=0.04)] * 2
    job = await recording()
    steps = await rows(lambda: list(job.steps.filter(kind="window").order_by("start_seconds")))
    assert steps[-1].end_seconds == pytest.approx(8.0, abs=0.04)
    parts = (speech()[round(one.start_seconds * SECOND) : round(one.end_seconds * SECOND)] for one in steps)
    words = " ".join(heard(as_floats(part)).text for part in parts)
    assert f"{first} {second}" == words == await rows(lambda: words_of(job.pk))


async def test_commits_are_told_before_their_words_are_complete_and_in_order(house: Live, gina: User) -> None:
    async with session(gina, turn_detection=None) as caller:
        await caller.speak(speech()[: 3 * SECOND])
        await caller.commit()
        await finished(caller, 1)
        await caller.speak(silence(1.0))
        await caller.commit()
        assert (await finished(caller, 2))[1] == ""
    await recording()
    told = [kind for kind in caller.kinds if kind != DELTA]
    one = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done", COMPLETED]
    assert told[2:] == [*one, *one]
    first, second = caller.of("input_audio_buffer.committed")
    assert second["previous_item_id"] == first["item_id"]


async def test_less_than_a_tenth_of_a_second_is_not_committed(house: Live, gina: User) -> None:
    async with session(gina, turn_detection=None) as caller:
        await caller.speak(speech()[:SECOND])
        await caller.commit()
        await caller.speak(speech()[: SECOND // 20])
        await caller.commit()
        assert (await caller.error())["code"] == "input_audio_buffer_commit_empty"
        await finished(caller, 1)
    await recording()


@pytest.mark.parametrize("turns", [None, {"type": "server_vad"}])
async def test_what_is_cleared_is_silence_and_has_no_words(house: Live, gina: User, turns: Any) -> None:
    kept = speech()[: 3 * SECOND]
    async with session(gina, turn_detection=turns) as caller:
        await caller.speak(kept)
        await caller.commit()
        while not caller.of("input_audio_buffer.committed"):
            await caller.until("input_audio_buffer.committed")
        await caller.speak(speech()[3 * SECOND : 9 * SECOND])
        await caller.send({"type": "input_audio_buffer.clear"})
        await caller.until("input_audio_buffer.cleared")
        # What a pause has ended by then stays.
        until = max([3000, *(one["audio_end_ms"] for one in caller.of("input_audio_buffer.speech_stopped"))])
        await caller.commit()
        assert (await caller.error())["code"] == "input_audio_buffer_commit_empty"
        await caller.speak(kept)
        await caller.commit()
        transcripts = await finished(caller, 2)
    job = await recording()
    assert " ".join(filter(None, transcripts)) == await rows(lambda: words_of(job.pk))
    with default_storage.open(job.media) as file:
        sound = np.frombuffer(file.read()[44:], np.int16)
    assert len(sound) == 12 * SECOND
    assert sound[: 2 * SECOND].any() and sound[10 * SECOND :].any()
    assert not sound[(until + 40) * SECOND // 1000 : 9 * SECOND].any()


async def test_g711_is_heard_as_telephones_send_it(house: Live, gina: User) -> None:
    telephone = ulaw(speech()[: 6 * SECOND : 2])
    async with session(gina, format={"type": "audio/pcmu"}, turn_detection=None) as caller:
        for start in range(0, len(telephone), 800):
            await caller.send(append(np.frombuffer(telephone[start : start + 800], np.uint8)))
        await caller.commit()
        (text,) = await finished(caller, 1)
    assert text
    assert (await recording()).source_duration_seconds == pytest.approx(6.0, abs=0.05)


async def test_a_prompt_and_a_language_are_there_from_the_next_words_on(
    house: Live, gina: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[Any, ...]] = []

    def noted(_self: Any, samples: Any, options: Any) -> Any:
        given.append((options.language, options.initial_prompt, options.hotwords))
        return original(_self, samples, options)

    from tests.clockwork import Clockwork

    original = Clockwork._window
    monkeypatch.setattr(Clockwork, "_window", noted)
    async with session(gina, turn_detection=None, transcription={"prompt": "Umeå", "keywords": ["älv"]}) as caller:
        await caller.speak(speech()[: 3 * SECOND])
        await caller.commit()
        await finished(caller, 1)
        await caller.send(update(turn_detection=None, transcription={"language": "sv", "prompt": "Luleå"}))
        await caller.until("session.updated")
        await caller.speak(speech()[3 * SECOND : 6 * SECOND])
        await caller.commit()
        await finished(caller, 2)
    await recording()
    assert given[0][1:] == ("Umeå", ("älv",))
    assert given[-1] == ("sv", "Luleå", ("älv",))


async def test_what_ends_a_turn_can_not_be_changed_in_the_middle_of_one(house: Live, gina: User) -> None:
    async with session(gina) as caller:
        await caller.speak(speech()[: 2 * SECOND])
        await caller.send(update(turn_detection=None))
        assert (await caller.error())["code"] == "session_has_begun"
    await recording()


async def test_a_connection_that_is_cut_leaves_a_recording_with_what_was_not_committed(house: Live, gina: User) -> None:
    async with session(gina, turn_detection=None) as caller:
        await caller.speak(speech()[: 5 * SECOND])
    job = await recording()
    assert job.source_duration_seconds == 5.0
    assert await rows(lambda: words_of(job.pk))
    assert not house.sessions.held


async def test_a_key_that_is_revoked_ends_it_and_the_recording_stays(
    house: Live, gina: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_socket, "LOOK_SECONDS", 0.2)
    async with session(gina) as caller:
        await caller.speak(speech()[: 3 * SECOND])
        await rows(lambda: tokens.revoke(PersonalToken.objects.get()))
        assert (await caller.error())["code"] == "invalid_api_key"
        await caller.until("end")
    assert (await recording()).source_duration_seconds == 3.0


async def test_a_session_that_may_not_go_on_says_why_and_completes_its_items(house: Live, gina: User) -> None:
    async with session(gina) as caller:
        await caller.speak(speech()[: 5 * SECOND])
        await caller.until("input_audio_buffer.speech_started")
        await rows(lambda: User.objects.filter(pk=gina.pk).update(is_active=False))
        await tending._look_at_owners(house.sessions)
        error = await caller.error()
        await caller.until("end")
    assert (error["code"], caller.code) == ("invalid_api_key", 3000)
    assert len(caller.of(COMPLETED)) == len(caller.of("input_audio_buffer.committed"))


async def test_a_session_that_is_idle_expires(house: Live, gina: User, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, live_idle_minutes=0.005)
    async with session(gina) as caller:
        await caller.speak(speech()[: SECOND // 2])
        assert (await caller.error())["code"] == "session_expired"
        await caller.until("end")
    await recording()


async def test_items_whose_words_nobody_can_read_fail(
    tmp_path: Path, gina: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LAST_WORDS_SECONDS", 0.2)
    async with live(tmp_path / "live") as here, session(gina, turn_detection=None) as caller:
        await caller.speak(speech()[: 3 * SECOND])
        await caller.commit()
        await caller.until("conversation.item.done")
        here.sessions.held[0].end()
        failed = await caller.until(f"{TRANSCRIPTION}.failed")
        await caller.until("error")
    assert failed["item_id"] == caller.of("input_audio_buffer.committed")[0]["item_id"]


async def test_many_sounds_at_once_are_no_more_than_one_session(house: Live, gina: User) -> None:
    async with calling(await key_of(gina)) as caller:
        await caller.send(update(turn_detection=None))
        await caller.speak(speech()[: 20 * SECOND])
        await caller.commit()
        (text,) = await finished(caller, 1)
    assert len(text.split()) > 8
    await recording()
    assert await rows(LiveSession.objects.count) == 1
