"""What a query finds; the same on both databases."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.library.conftest import Find, Recording, say
from whisper_jobs import search
from whisper_jobs.models import Passage, Segment

WORDS = [f"word{number}" for number in range(2600)]


@pytest.fixture
def shelf(recording: Recording, alice: User) -> None:
    recording(alice, "Council", ["The mayor opens the meeting.", "Taxes rise again", "by three percent next year."])
    recording(alice, "Concert", ["Mötley Crüe spielte in der Straße,", "don't you know, 3,14 times"])
    recording(alice, "Пресса", ["Иван говорил о налогах"])
    recording(alice, "新聞", ["東京タワーに行きました。"])
    recording(alice, "ข่าว", ["สวัสดีครับ"])
    recording(
        alice,
        "Notes",
        ["nothing much"],
        source_note="Ask the treasurer about it",
        source_url="https://example.com/paris.mp3",
    )


#: What each query finds. One test, since to write the shelf takes longer than to ask all of them.
FOUND: dict[str, list[str]] = {
    "mayor": ["Council"],
    "MAYOR percent": ["Council"],
    "mayor crue": [],
    "motley": ["Concert"],
    "MÖTLEY": ["Concert"],
    "mo\u0308tley": ["Concert"],
    "strasse": ["Concert"],
    "perc": ["Council"],
    "perc taxes": [],
    "taxes perc": ["Council"],
    '"the meeting"': ["Council"],
    '"meeting the"': [],
    '"rise again by three"': ["Council"],
    '"next year': ["Council"],
    '"next yea"': [],
    "don't": ["Concert"],
    "3,14": ["Concert"],
    "the -mayor": ["Notes"],
    'treasurer -"nothing much"': [],
    "-mayor -motley -nothing": ["Пресса", "ข่าว", "新聞"],
    "налогах": ["Пресса"],
    "НАЛОГ": ["Пресса"],
    "東京": ["新聞"],
    "京東": [],
    "タワー": ["新聞"],
    "สวัส": ["ข่าว"],
    "treasurer": ["Notes"],
    "paris": ["Notes"],
    "council taxes": ["Council"],
    "… 👍 !": [],
    '" OR 1=1; --': [],
    "mayor & !taxes | (x:*)": [],
    "'; DROP TABLE whisper_job; --": [],
    "NEAR(mayor taxes)": [],
}


@pytest.mark.usefixtures("shelf")
def test_a_query_finds(find: Find, alice: User) -> None:
    assert {query: find(alice, query) for query in FOUND} == FOUND


def test_words_may_be_anywhere_in_a_long_recording(recording: Recording, find: Find, alice: User) -> None:
    recording(alice, "Long", [" ".join(WORDS[at : at + 20]) for at in range(0, len(WORDS), 20)])
    assert find(alice, "word3 word2599") == ["Long"]
    assert find(alice, "word3 -word2599") == []


def test_a_phrase_is_found_across_passages(recording: Recording, find: Find, alice: User) -> None:
    job = recording(alice, "Long", [" ".join(WORDS[at : at + 20]) for at in range(0, len(WORDS), 20)])
    assert Passage.objects.filter(job=job, number__gt=0).count() == 3
    assert find(alice, '"word999 word1000"') == ["Long"]
    assert find(alice, '"word1000 word999"') == []


def test_nobody_finds_what_they_may_not_see(recording: Recording, find: Find, alice: User, bob: User) -> None:
    recording(alice, "Hers", ["secret"])
    assert find(bob, "secret") == []
    assert find(alice, "secret") == ["Hers"]


def test_a_query_of_a_thousand_words_is_answered(recording: Recording, find: Find, alice: User) -> None:
    recording(alice, "Long", WORDS[:100])
    assert find(alice, " ".join(WORDS[:1000])) == ["Long"]


def test_a_failed_job_is_found_by_its_code(find: Find, recording: Recording, alice: User) -> None:
    job = recording(alice, "Broken")
    type(job).objects.filter(pk=job.pk).update(failure_code="timeout")
    assert find(alice, "timeout") == ["Broken"]


def test_a_queued_job_is_found_by_its_title(stage: object, find: Find, alice: User) -> None:
    stage.submit(alice, source_label="Interview with Ö")  # type: ignore[attr-defined]
    assert find(alice, "interview o") == ["Interview with Ö"]


# --- the index follows what changes ----------------------------------------------------------------


def _long(recording: Recording, alice: User) -> tuple[object, list[str]]:
    said = [" ".join(WORDS[at : at + 20]) for at in range(0, len(WORDS), 20)]
    return recording(alice, "Long", said), said


def test_a_corrected_segment_is_found_by_its_new_words_alone(recording: Recording, find: Find, alice: User) -> None:
    job = recording(alice, "Talk", ["old words", "and more"])
    Segment.objects.filter(job=job, start=0).update(text="fresh words")
    search.reindex(job, 0.0, 9.0)
    assert find(alice, "fresh") == ["Talk"]
    assert find(alice, "old") == []
    assert find(alice, "more") == ["Talk"]


@pytest.mark.parametrize("place", [0, 49, 50, 51, 99, 100, 129])
def test_a_part_made_anew_is_as_if_all_were(recording: Recording, alice: User, place: int) -> None:
    job, _said = _long(recording, alice)
    Segment.objects.filter(job=job, start=place * 10.0).update(text=" ".join(f"new{one}" for one in range(20)))  # type: ignore[misc]
    search.reindex(job, place * 10.0, place * 10.0 + 9)  # type: ignore[arg-type]
    in_part = _passages(job)
    search.reindex(job)  # type: ignore[arg-type]
    assert in_part == _passages(job)


def _passages(job: object) -> list[tuple[object, ...]]:
    rows = Passage.objects.filter(job=job, number__gt=0).order_by("start")  # type: ignore[misc]
    return list(rows.values_list("number", "start", "end", "tokens"))


def test_a_passage_that_grew_too_long_is_split(recording: Recording, find: Find, alice: User) -> None:
    job, _said = _long(recording, alice)
    Segment.objects.filter(job=job, start=300.0).update(text=" ".join(f"grown{one}" for one in range(1500)))  # type: ignore[misc]
    search.reindex(job, 300.0, 309.0)  # type: ignore[arg-type]
    assert Passage.objects.filter(job=job, number__gt=0).count() == 4  # type: ignore[misc]
    assert find(alice, "grown1499 word0 word2599 word980") == ["Long"]


def test_a_passage_without_segments_goes(recording: Recording, find: Find, alice: User) -> None:
    job, _said = _long(recording, alice)
    Segment.objects.filter(job=job, start__lt=500.0).delete()  # type: ignore[misc]
    search.reindex(job, 0.0, 499.0)  # type: ignore[arg-type]
    assert Passage.objects.filter(job=job, number__gt=0).count() == 2  # type: ignore[misc]
    assert find(alice, "word999") == []
    assert find(alice, "word1000") == ["Long"]


def test_words_return_to_an_empty_transcript(recording: Recording, find: Find, alice: User) -> None:
    job = recording(alice, "Talk", ["one"])
    Segment.objects.filter(job=job).delete()
    search.reindex(job, 0.0, 9.0)
    assert find(alice, "one") == []
    say(job, ["two"])
    search.reindex(job, 0.0, 9.0)
    assert find(alice, "two") == ["Talk"]


def test_a_deleted_job_leaves_nothing_in_the_index(recording: Recording, alice: User) -> None:
    recording(alice, "Talk", ["one"]).delete()
    assert not Passage.objects.exists()
