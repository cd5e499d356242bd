"""The vocabulary of Moonshine: tokens behind their lengths, words that begin with a sign for the space."""

from __future__ import annotations

import pytest

from whisper_jobs.speech.engines.moonshine_weights import FIRST_BYTE, FIRST_WORD, Vocabulary

SIGNS = [b"<unk>", b"<s>", b"</s>"]
BYTES = [bytes([each]) for each in range(256)]
WORDS = ["\u2581Hello", ",", "\u2581wor", "ld", "<<ST_1>>", "\u2581♪", "x" * 200]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    tokens = [*SIGNS, *BYTES, *(word.encode() for word in WORDS)]
    return Vocabulary.parsed(b"".join(length(len(token)) + token for token in tokens))


def length(size: int) -> bytes:
    return bytes([size]) if size < 128 else bytes([128 + size % 128, size // 128])


def token(word: str) -> int:
    return FIRST_WORD + WORDS.index(word)


def test_tokens_of_any_length_are_read(vocabulary: Vocabulary) -> None:
    assert vocabulary.tokens[FIRST_WORD:] == tuple(word.encode() for word in WORDS)


def test_words_are_joined_at_the_sign_for_the_space(vocabulary: Vocabulary) -> None:
    said = [token(word) for word in ("\u2581Hello", ",", "\u2581wor", "ld")]
    assert vocabulary.text(said) == "Hello, world"
    assert [vocabulary.begins_word(each) for each in said] == [True, False, True, False]


def test_bytes_make_letters_together(vocabulary: Vocabulary) -> None:
    assert vocabulary.text([FIRST_BYTE + each for each in "é".encode()]) == "é"
    assert vocabulary.text([FIRST_BYTE + 0xC3]) == "\ufffd", "half a letter is no failure"


def test_signs_notes_and_nul_are_no_text(vocabulary: Vocabulary) -> None:
    assert vocabulary.text([0, 1, 2, token("<<ST_1>>"), token("\u2581♪"), FIRST_BYTE]) == ""
