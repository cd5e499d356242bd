"""When each word of the page is said: for the player, and nobody else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from sharing import article, word_times
from sharing.models import Share
from tests.sharing.conftest import body, page, path_of, shared
from tests.sharing.test_read import add_segments, translate
from whisper_jobs.models import Job
from whisper_jobs.speech.transcript import Segment, Word


@pytest.fixture
def audible(talk: Job, recording: bytes) -> Share:
    return shared(talk, allow_audio=True)


def told(client: Client, share: Share, query: str = "") -> Any:
    answer = client.get(path_of(share, "/words") + query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    return json.loads(body(answer))


def words_of(numbers: list[int]) -> list[tuple[int, float]]:
    """As the page's script reads them: the letter at which each word stands, and its second."""
    letter, at, read = 0, numbers[0], []
    for step, later in zip(numbers[1::2], numbers[2::2], strict=True):
        letter, at = letter + step, at + later
        read.append((letter, at / 100))
    return read


def test_there_is_a_line_for_each_sentence_of_the_page(visitor: Client, audible: Share) -> None:
    add_segments(audible.job, 5, words=[[1.0, 1.2, "Sentence", 0.9], [1.5, 2.0, " of", None]])
    shown = page(visitor, audible)
    assert f'data-words="{path_of(audible, "/words")}"' in shown
    times = told(visitor, audible)
    assert len(times) == 5 == len(re.findall(r"<span(?: id=\"t=\d+\")?>Sentence", shown))
    assert words_of(times[0]) == [(0, 1.0), (11, 1.5)]


def test_a_translation_has_the_times_of_its_sentences(visitor: Client, audible: Share) -> None:
    translate(audible.job, "sv")
    assert told(visitor, audible, "?language=sv") == [[0], [1000]]


def test_without_sound_there_are_none(visitor: Client, share: Share) -> None:
    assert visitor.get(path_of(share, "/words")).status_code == 404
    assert "data-words" not in page(visitor, share)


def test_the_passcode_is_asked_for_here_too(visitor: Client, audible: Share) -> None:
    shared(audible.job, passcode="sesame")
    assert visitor.get(path_of(audible, "/words")).status_code == 403


def test_a_transcript_without_words_is_an_empty_list() -> None:
    assert json.loads("".join(word_times.render([]))) == []


@given(st.lists(st.text("aå👩 \u200dب,.", min_size=1, max_size=6), min_size=1, max_size=12))
def test_each_word_is_found_where_a_script_would_find_it(spoken: list[str]) -> None:
    words = tuple(Word(place / 2, place / 2 + 0.4, text) for place, text in enumerate(spoken))
    segment = Segment(0.0, 9.0, " ".join(spoken), words)
    shown = article.plain(segment.text).encode("utf-16-le")
    lines = json.loads("".join(word_times.render([segment])))
    wanted = [article.plain(one) for one in spoken if article.plain(one)]
    found = words_of(lines[0]) if lines else []
    assert len(found) == len(wanted)
    for (letter, _at), word in zip(found, wanted, strict=True):
        assert shown[2 * letter :].decode("utf-16-le").startswith(word)
    assert [at for _letter, at in found] == sorted(at for _letter, at in found)
