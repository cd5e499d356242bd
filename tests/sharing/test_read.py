"""The public page: the transcript, its languages, analysis, downloads and places in it."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from sharing import owning
from sharing.models import Share
from tests.core.play import Stage
from tests.sharing.conftest import body, page, path_of, shared
from whisper_jobs.models import (
    Analysis,
    Diarization,
    DiarizationState,
    EnrichmentState,
    Job,
    Segment,
    Step,
    TranslatedSegment,
    Translation,
)
from whisper_jobs.speech.formats import FORMATS


def add_segments(job: Job, count: int, **fields: Any) -> None:
    """In place of those there are, five seconds each."""
    Segment.objects.filter(job=job).delete()
    step = Step.objects.filter(job=job).first()
    assert step is not None
    Segment.objects.bulk_create(
        Segment(
            **{
                "text": f"Sentence {place} of what was said on that long day.",
                "words": [[0.0, 0.5, "So", 0.9]],
                **fields,
            },
            job=job,
            step=step,
            position=place + 100,
            start=place * 5.0,
            end=place * 5.0 + 4.5,
            revision=1,
        )
        for place in range(count)
    )


def translate(job: Job, language: str = "sv", state: str = EnrichmentState.DONE) -> Translation:
    row = Translation.objects.create(job=job, language=language, state=state, index=Translation.objects.count())
    TranslatedSegment.objects.bulk_create(
        TranslatedSegment(translation=row, segment=one, text=f"{language}: {one.text}") for one in job.segments.all()
    )
    return row


def analyse(job: Job, **fields: Any) -> None:
    Analysis.objects.create(job=job, **{"language": "en", "state": EnrichmentState.DONE, **fields})


def test_anybody_with_the_link_reads_the_transcript(visitor: Client, share: Share) -> None:
    shown = page(visitor, share)
    assert "<title>Board meeting · Tools Whisper</title>" in shown
    assert '<meta property="og:title" content="Board meeting">' in shown
    assert "Duration</span> 0:20</span>" in shown
    assert '<a class="clock" href="#t=10">0:10</a><p dir="auto"><span id="t=10">window1</span></p>' in shown
    assert 'lang="en"' in shown.partition('id="text"')[2][:80]
    for name in ("txt", "srt", "vtt", "json"):
        assert f'href="{path_of(share, f"/transcript.{name}")}"' in shown


def test_the_page_is_for_readers_only(visitor: Client, share: Share) -> None:
    answer = visitor.get(path_of(share))
    assert answer["X-Robots-Tag"].startswith("noindex")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "private, no-store"
    assert "unsafe" not in answer["Content-Security-Policy"]
    shown = body(answer).decode()
    assert '<meta name="robots" content="noindex' in shown
    assert " style=" not in shown
    assert re.findall(r"<script(?![^>]* src=)", shown) == []


def test_a_recording_without_a_title_of_its_own_is_called_a_transcript(visitor: Client, talk: Job) -> None:
    Job.objects.filter(pk=talk.pk).update(source_label="", source_title="")
    assert "<title>Transcript · Tools Whisper</title>" in page(visitor, shared(talk))


def test_speakers_are_named_where_they_begin(visitor: Client, share: Share) -> None:
    add_segments(share.job, 6)
    Segment.objects.filter(job=share.job, position__lt=103).update(speaker="Ada")
    Segment.objects.filter(job=share.job, position__gte=103).update(speaker="Grace")
    text = page(visitor, share).partition('id="text"')[2]
    assert re.findall(r"<h3[^>]*>(.*?)</h3>", text) == ["Ada", "Grace"]
    assert text.index("Sentence 2") < text.index("Grace") < text.index("Sentence 3")


def test_speakers_without_a_name_are_numbered_in_the_readers_language(visitor: Client, share: Share) -> None:
    speakers = [
        {"label": "SPEAKER_00", "name": None, "seconds": 1.0},
        {"label": "SPEAKER_01", "name": "Ada", "seconds": 1.0},
    ]
    Diarization.objects.create(job=share.job, state=DiarizationState.DONE, speakers=speakers)
    add_segments(share.job, 2)
    for place, label in ((100, "SPEAKER_00"), (101, "SPEAKER_01")):
        Segment.objects.filter(job=share.job, position=place).update(speaker=label)
    text = page(visitor, share, headers={"accept-language": "sv"}).partition('id="text"')[2]
    assert re.findall(r"<h3[^>]*>(.*?)</h3>", text) == ["Talare 1", "Ada"]
    answer = visitor.get(path_of(share, "/transcript.txt"), headers={"accept-language": "en"})
    assert "Speaker 1" in body(answer).decode()


def test_speakers_have_the_colour_that_was_chosen_else_one_by_their_order(visitor: Client, share: Share) -> None:
    speakers = [
        {"label": "SPEAKER_00", "name": "Ada", "seconds": 1.0},
        {"label": "SPEAKER_01", "name": "Grace", "seconds": 1.0, "colour": 7},
    ]
    Diarization.objects.create(job=share.job, state=DiarizationState.DONE, speakers=speakers)
    add_segments(share.job, 3)
    for place, label in ((100, "SPEAKER_00"), (101, "SPEAKER_01"), (102, "Guest")):
        Segment.objects.filter(job=share.job, position=place).update(speaker=label)
    heads = re.findall(r'<h3 class="voice" data-voice="(\d+)"[^>]*>(.*?)</h3>', page(visitor, share))
    assert heads == [("0", "Ada"), ("7", "Grace"), ("2", "Guest")]


def test_two_hundred_speakers_share_the_colours(visitor: Client, share: Share) -> None:
    add_segments(share.job, 200)
    for place in range(200):
        Segment.objects.filter(job=share.job, position=100 + place).update(speaker=f"Guest {place}")
    colours = re.findall(r'<h3 class="voice" data-voice="(\d+)"', page(visitor, share))
    assert (len(colours), {int(one) for one in colours}) == (200, set(range(12)))


def test_a_transcript_without_words_says_so(visitor: Client, share: Share) -> None:
    Segment.objects.filter(job=share.job).delete()
    assert "The transcript is empty." in page(visitor, share)


def test_the_page_speaks_the_readers_language(visitor: Client, share: Share) -> None:
    shown = page(visitor, share, headers={"accept-language": "sv"})
    assert '<html lang="sv">' in shown
    assert "Utseende" in shown


def test_finished_translations_are_tabs(visitor: Client, share: Share) -> None:
    translate(share.job, "sv")
    translate(share.job, "de", EnrichmentState.RUNNING)
    tabs = re.findall(r'<a class="button[^>]*hreflang="(\w+)"([^>]*)>(\w+)', page(visitor, share))
    assert tabs == [("en", ' aria-current="page"', "English"), ("sv", "", "Swedish")]
    shown = page(visitor, share, "?language=sv")
    text = shown.partition('id="text"')[2]
    assert "sv: window0" in text and ">window0" not in text
    assert 'lang="sv"' in text[:80]
    assert "/transcript.srt?language=sv" in shown
    assert ">window0" in page(visitor, share, "?language=de")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("txt", "window0\n\nwindow1"), ("srt", "00:00:10,000 -->"), ("vtt", "WEBVTT"), ("json", '"segments"')],
)
def test_downloads_are_files(visitor: Client, share: Share, name: str, expected: str) -> None:
    answer = visitor.get(path_of(share, f"/transcript.{name}"))
    assert answer["Content-Disposition"] == f'attachment; filename="transcript.{name}"'
    assert expected in body(answer).decode()


def test_every_format_is_offered_and_can_be_had(visitor: Client, share: Share) -> None:
    shown = page(visitor, share)
    for name, form in FORMATS.items():
        assert f'data-export="{name}" data-query="" href="{path_of(share, f"/transcript.{name}")}"' in shown
        answer = visitor.get(path_of(share, f"/transcript.{name}?preset=web&speakers=false"))
        assert (answer.status_code, answer["Content-Type"]) == (200, form.content_type)
        assert body(answer)
    assert visitor.get(path_of(share, "/transcript.srt?preset=cinema")).status_code == 404


def test_documents_do_not_tell_the_name_of_the_file(visitor: Client, share: Share) -> None:
    Job.objects.filter(pk=share.job_id).update(source_filename="secret.mp3", source_label="", source_title="")
    assert body(visitor.get(path_of(share, "/transcript.markdown"))).decode().startswith("# Transcript\n")


def test_downloads_are_there_in_every_language(visitor: Client, share: Share) -> None:
    translate(share.job, "sv")
    answer = visitor.get(path_of(share, "/transcript.json?language=sv"))
    assert answer["Content-Disposition"] == 'attachment; filename="transcript.sv.json"'
    told = json.loads(body(answer))
    assert (told["language"], told["segments"][0]["text"]) == ("sv", "sv: window0")


def test_what_there_is_not_can_not_be_downloaded(visitor: Client, share: Share) -> None:
    for below in ("/transcript.exe", "/transcript.txt?language=fi", "/transcript.txt?language=%00"):
        assert visitor.get(path_of(share, below)).status_code == 404


def test_an_analysis_is_shown_part_by_part(visitor: Client, share: Share) -> None:
    data = {
        "summary": "They met.",
        "key_points": ["Money is short."],
        "decisions": ["Save."],
        "action_items": [{"text": "Count it", "owner": "Ada", "due": "Friday"}, {"text": "Hide it"}],
        "chapters": [{"title": "Opening", "start": 0.0}, {"title": "Money", "start": 10.4}],
    }
    analyse(share.job, text="WHOLE", data=data)
    shown = page(visitor, share)
    for told in ("They met.", "Money is short.", "Save.", "Count it", "Ada · Friday", "Hide it", 'href="#t=10"'):
        assert told in shown
    assert "WHOLE" not in shown


def test_chapters_stand_in_the_text_where_they_begin(visitor: Client, share: Share) -> None:
    add_segments(share.job, 12)
    analyse(share.job, data={"chapters": [{"title": "Opening", "start": 0}, {"title": "Money & more", "start": 31}]})
    shown = page(visitor, share)
    contents, _nav, text = shown.partition('id="contents"')[2].partition("</nav>")
    assert re.findall(r'href="#t=(\d+)"', contents) == ["0", "31"]
    assert re.findall(r'<h2 class="chapter" id="t=(\d+)"[^>]*>(.*?)</h2>', text) == [
        ("0", "Opening"),
        ("31", "Money &amp; more"),
    ]
    assert text.index("Sentence 5") < text.index("Money") < text.index("Sentence 6") < text.index("Sentence 7")
    ids = re.findall(r'id="(t=\d+)"', text)
    assert len(ids) == len(set(ids))


def test_chapters_are_hidden_with_the_analysis(visitor: Client, share: Share) -> None:
    analyse(share.job, data={"chapters": [{"title": "Opening", "start": 0}]})
    assert "Opening" in page(visitor, share)
    owning.change(share.job.pk, {"show_analysis": False})
    assert "Opening" not in page(visitor, share)


def test_an_analysis_without_parts_is_shown_as_text(visitor: Client, share: Share) -> None:
    analyse(share.job, text="WHOLE")
    assert "<p>WHOLE</p>" in page(visitor, share)


def test_an_analysis_is_its_owners_to_show(visitor: Client, share: Share) -> None:
    analyse(share.job, text="WHOLE")
    owning.change(share.job.pk, {"show_analysis": False})
    hidden = page(visitor, share)
    assert "window0" in hidden
    assert "WHOLE" not in hidden and "Analysis" not in hidden
    owning.change(share.job.pk, {"show_analysis": True})
    assert "WHOLE" in page(visitor, share)


@pytest.mark.parametrize("state", [EnrichmentState.FAILED, EnrichmentState.PENDING, EnrichmentState.SKIPPED])
def test_an_analysis_that_is_not_done_is_not_mentioned(visitor: Client, share: Share, state: str) -> None:
    analyse(share.job, state=state, error="ERROR-of-the-key", text="OLD")
    shown = page(visitor, share)
    assert "Analysis" not in shown and "ERROR" not in shown


def test_a_time_in_the_query_leads_to_what_is_said_then(visitor: Client, share: Share) -> None:
    for asked, place in (("10", 10), ("13.7", 10), ("9999", 10), ("3", 0)):
        answer = visitor.get(path_of(share, f"?t={asked}&language=sv"))
        assert (answer.status_code, answer["Location"]) == (302, path_of(share, f"?language=sv#t={place}"))
        assert f'id="t={place}"' in page(visitor, share)


def test_a_time_that_is_none_is_passed_over(visitor: Client, share: Share) -> None:
    for asked in ("", "x", "-1", "1e9", "99999999", "nan", "%00"):
        assert "window0" in page(visitor, share, f"?t={asked}")


def test_what_was_said_and_typed_is_text_and_never_markup(visitor: Client, share: Share) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"
    add_segments(share.job, 2, text=evil, speaker=evil)
    Job.objects.filter(pk=share.job_id).update(source_label=evil[:200], detected_language='en" onload="alert(1)'[:16])
    parts = {part: [evil] for part in ("key_points", "decisions")}
    actions = [{"text": evil, "owner": evil, "due": evil}]
    chapters = [{"title": evil, "start": 0}]
    analyse(share.job, data={"summary": evil, "action_items": actions, "chapters": chapters, **parts})
    translate(share.job, "<b>x")
    for query in ("", "?language=%3Cb%3Ex", "?language=%22%3E%3Cscript%3Ealert(1)"):
        shown = page(visitor, share, query)
        assert "<img" not in shown and "<script>" not in shown and 'onload="' not in shown and "<b>" not in shown
        assert "&lt;script&gt;alert(1)" in shown


def test_the_page_of_an_hour_is_light(visitor: Client, share: Share) -> None:
    add_segments(share.job, 720)
    assert len(body(visitor.get(path_of(share)))) < 100_000


def test_a_long_transcript_costs_as_many_queries_as_a_short_one(visitor: Client, share: Share) -> None:
    def queries(count: int) -> tuple[int, str]:
        add_segments(share.job, count, words=[])
        translate(share.job, f"x{count}")
        analyse(share.job)
        visitor.cookies.clear()
        with CaptureQueriesContext(connection) as captured:
            shown = page(visitor, share) + page(visitor, share, f"?language=x{count}")
        Analysis.objects.all().delete()
        Translation.objects.all().delete()
        return len(captured), shown

    few, _shown = queries(10)
    many, shown = queries(2000)
    assert few == many <= 12
    assert shown.count("Sentence 1999 ") == 2


def test_it_is_packed_for_whoever_reads_that(visitor: Client, share: Share) -> None:
    add_segments(share.job, 720)
    for accepted in ("gzip", "br, gzip;q=0.5", "deflate,gzip"):
        packed = visitor.get(path_of(share), headers={"accept-encoding": accepted})
        assert packed["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in packed["Vary"]
        small = body(packed)
        assert gzip.decompress(small) == body(visitor.get(path_of(share)))
        assert len(small) < 40_000
    for refused in ("identity", "gzip;q=0", "br", "gzip;q=0.0, br"):
        plain = visitor.get(path_of(share), headers={"accept-encoding": refused})
        assert "Content-Encoding" not in plain
        assert b"</html>" in body(plain)


def test_what_is_in_the_trash_is_shared_no_more(visitor: Client, share: Share) -> None:
    Job.objects.filter(pk=share.job_id).update(trashed_at=timezone.now())
    assert visitor.get(path_of(share)).status_code == 410


def test_the_page_can_be_asked_for_without_its_text(visitor: Client, share: Share) -> None:
    answer: Any = visitor.head(path_of(share))
    assert (answer.status_code, b"".join(answer.streaming_content)) == (200, b"")
    assert "Content-Length" not in answer
    assert answer["Content-Type"].startswith("text/html")


def test_scripts_written_without_spaces_stay_so(visitor: Client, stage: Stage, alice: User) -> None:
    share = shared(stage.completed(alice))
    add_segments(share.job, 2, text="これは本です。")
    assert "本です。</span><span" in page(visitor, share)
