"""A recording is found by what people noted about it, and by the title that they gave it."""

from __future__ import annotations

from accounts.models import User
from whisper_jobs import naming, notes, queries, search, tagging
from whisper_jobs.models import Job


def finds(user: User, text: str) -> bool:
    return bool(queries.page_of_jobs(user, queries.ListFilter(text=text))[0])


def test_by_the_words_of_a_note_as_long_as_it_says_them(talk: Job, alice: User) -> None:
    assert not finds(alice, "xylophone")
    note = notes.add(talk.pk, by=alice, start=1, text="A xylophone, surely")
    assert finds(alice, "xylophone")
    notes.change(talk.pk, note.pk, text="A zither")
    assert (finds(alice, "xylophone"), finds(alice, "zither")) == (False, True)
    notes.remove(talk.pk, note.pk)
    assert not finds(alice, "zither")


def test_tags_title_and_notes_are_found_together(talk: Job, alice: User) -> None:
    notes.add(talk.pk, by=alice, start=1, text="zither")
    tagging.put_on(alice, tagging.called(alice, ["Music"]), [talk.pk])
    naming.rename(talk.pk, label="Quay")
    assert finds(alice, "zither music quay crane")
    search.reindex(talk)
    assert finds(alice, "zither music")


def test_a_new_title_takes_the_place_of_the_old_one(talk: Job, alice: User) -> None:
    naming.rename(talk.pk, label="Quay", note="About pilots")
    assert (finds(alice, "meeting"), finds(alice, "quay pilots")) == (False, True)


def test_more_than_an_index_takes_is_cut_off(talk: Job, alice: User) -> None:
    long = [notes.add(talk.pk, by=alice, start=n / 10, text=f"early{n} " + "語" * 1900) for n in range(60)]
    assert len(long) == 60
    assert finds(alice, "early0")
    assert not finds(alice, "early59")
