"""What models and servers tell is put so that every database stores it, and no word is lost by that."""

from __future__ import annotations

import json
from typing import Any

from whisper_jobs.speech.engines import relay_reading
from whisper_jobs.speech.engines.tidying import tidy

NAN = float("nan")
HEARD: dict[str, Any] = {
    "start": 0.0,
    "end": 1.0,
    "text": " Two\0 words",
    "avg_logprob": -0.5,
    "compression_ratio": 1.0,
    "no_speech_prob": 0.1,
    "temperature": 0.0,
    "words": [
        {"start": 0.0, "end": 0.5, "word": " Two\0", "probability": 0.9},
        {"start": 0.5, "end": 1.0, "word": " words", "probability": NAN},
    ],
}


def test_a_nul_goes_and_the_words_stay() -> None:
    [segment] = tidy([HEARD], duration=1.0)
    assert (segment.text, [word.text for word in segment.words]) == ("Two words", ["Two", "words"])


def test_what_is_no_number_is_not_known() -> None:
    [segment] = tidy([{**HEARD, "avg_logprob": NAN}], duration=1.0)
    assert segment.decoding is not None
    assert (segment.probability, segment.decoding.avg_logprob, segment.decoding.no_speech_prob) == (None, None, 0.1)
    assert [word.probability for word in segment.words] == [0.9, None]


def test_spaces_of_every_kind_part_the_words_of_a_relay() -> None:
    read = relay_reading.read(json.dumps({"text": "10\u00a0000 kronor\u3000till\0"}), seconds=2.0)
    assert [segment.text for segment in read.segments] == ["10 000 kronor till"]
