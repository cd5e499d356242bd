"""What clients append, as samples."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from whisper_jobs.dialects.openai.realtime_session import ALAW, PCM, ULAW
from whisper_jobs.dialects.openai.realtime_sound import NotBase64, as_pcm, decoded


def samples(codes: bytes, form: str) -> list[int]:
    return [int(value) for value in np.frombuffer(as_pcm(codes, form), "<i2")]


def test_ulaw_has_the_values_of_the_standard() -> None:
    assert samples(b"\xff\x7f\x80\x00\xfe\x8f", ULAW) == [0, 0, 32124, -32124, 8, 16764]


def test_alaw_has_the_values_of_the_standard() -> None:
    assert samples(b"\xd5\x55\xaa\x2a\xd4\x80", ALAW) == [8, -8, 32256, -32256, 24, 5504]


@pytest.mark.parametrize(("form", "inverted"), [(ULAW, 0x7F), (ALAW, 0x55)])
def test_louder_codes_are_louder_samples(form: str, inverted: int) -> None:
    found = samples(bytes(code ^ inverted for code in range(0x80, 0x100)), form)
    assert found == sorted(set(found))


def test_pcm_stays_as_it_is() -> None:
    assert as_pcm(b"\x01\x02\x03", PCM) == b"\x01\x02\x03"


@pytest.mark.parametrize("text", ["!", "AAA", "A A=", "\u00e9AAA", "AAAA\n====", "data:audio/wav;base64,AAAA"])
def test_what_is_no_base64_is_told(text: str) -> None:
    with pytest.raises(NotBase64):
        decoded(text)


def test_base64_is_read() -> None:
    assert decoded(base64.b64encode(b"sound").decode()) == b"sound"
    assert decoded("") == b""
