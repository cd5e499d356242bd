"""Words while somebody speaks: from a file, over a whole server with a real model; also when the connection is lost meanwhile."""

from __future__ import annotations

import subprocess
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools_whisper.errors import ToolsWhisperError
from tools_whisper.live import Closed, Delta, Refused, Sound, Wishes, listen
from tools_whisper.sounds import of_file
from tools_whisper.tape import Tape
from tools_whisper.transport import Place

from tests.clients.conftest import command, made_token
from tests.hearing.talking import SECOND, speech
from tests.serve.servers import RunningServer
from tests.uploads.proxy import Proxy

SECONDS = 4


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    path = tmp_path / "talk.wav"
    write(path, speech()[: SECONDS * SECOND].tobytes())
    return path


def write(path: Path, sound: bytes, *, width: int = 2, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(SECOND)
        file.writeframes(sound)


@pytest.mark.engine
def test_the_command_line_prints_the_words_of_a_file(
    variables: dict[str, str], server: RunningServer, spoken: Path
) -> None:
    given = {**variables, "TOOLS_WHISPER_TOKEN": made_token(server)["token"]}
    words = command("live", "--file", str(spoken), "--language", "en")
    told = subprocess.run(words, env=given, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
    assert len(told.stdout.split()) > 3
    assert "The recording is job" in told.stderr


@pytest.mark.engine
def test_a_connection_that_is_lost_loses_no_words(server: RunningServer, spoken: Path) -> None:
    proxy = Proxy(server.port)
    sound = of_file(spoken)

    def slowly() -> Iterator[bytes]:
        for place, piece in enumerate(sound.pieces):
            yield piece
            if place == SECONDS:
                # Half of it is there.
                proxy.cut()
                threading.Timer(0.5, lambda: setattr(proxy, "is_down", False)).start()
            time.sleep(0.1)

    place = Place(f"http://127.0.0.1:{proxy.port}", made_token(server)["token"])
    told = list(listen(place, Sound(slowly(), sound.media_type, sound.sample_rate), Wishes("en")))
    finals = [one for one in told if isinstance(one, Delta) and one.is_final]
    assert len(" ".join(one.text for one in finals).split()) > 3
    assert [one.start for one in finals] == sorted({one.start for one in finals})
    end = told[-1]
    assert isinstance(end, Closed) and end.job_id is not None and finals[-1].end > SECONDS / 2
    assert proxy.sent > SECONDS * SECOND * 2


@pytest.mark.serve
def test_a_token_that_is_not_known_is_refused(url: str, spoken: Path) -> None:
    with pytest.raises(Refused):
        list(listen(Place(url, "tw_wrong"), of_file(spoken)))


def test_a_file_that_cannot_be_sent_live_is_told(tmp_path: Path) -> None:
    write(tmp_path / "eight.wav", b"\0" * 800, width=1)
    (tmp_path / "text.wav").write_text("no sound")
    for name in ("eight.wav", "text.wav", "none.wav"):
        with pytest.raises(ToolsWhisperError, match="can't be sent live"):
            of_file(tmp_path / name)


def test_of_two_channels_the_first_is_sent(tmp_path: Path) -> None:
    write(tmp_path / "both.wav", b"\1\0\2\0" * 10, channels=2)
    assert b"".join(of_file(tmp_path / "both.wav").pieces) == b"\1\0" * 10


def test_what_was_kept_can_be_read_again() -> None:
    tape = Tape()
    tape.write(b"abc")
    assert tape.read(1, 10, 0) == b"bc" and tape.read(3, 10, 0) == b""
    tape.write(b"de")
    tape.finish()
    assert tape.read(0, 4, 0) == b"abcd" and tape.read(5, 1, 0) is None
    tape.close()
