"""The protocol, tus 1.0.0, answer by answer."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from tests.uploads.conftest import UPLOADS, checksum, encoded
from whisper_jobs.models import Upload

SOUND = b"RIFF" + bytes(range(256)) * 40


def test_options_tell_what_the_server_can(tus: Any, alice: User) -> None:
    answer = tus(alice).ask("OPTIONS", UPLOADS, Tus_Resumable=None)
    assert answer.status_code == 204
    assert answer["Tus-Version"] == answer["Tus-Resumable"] == "1.0.0"
    assert set(answer["Tus-Extension"].split(",")) >= {"creation", "termination", "checksum", "expiration"}
    assert int(answer["Tus-Max-Size"]) > 0
    assert "sha1" in answer["Tus-Checksum-Algorithm"].split(",")


def test_an_upload_begins_at_nothing_and_ends_where_it_should(tus: Any, alice: User) -> None:
    created = tus(alice).create(len(SOUND))
    assert (created.status_code, created["Upload-Offset"], created["Tus-Resumable"]) == (201, "0", "1.0.0")
    assert created["Upload-Expires"].endswith("GMT")
    path = created["Location"]
    first = tus(alice).send(path, SOUND[:5000])
    assert (first.status_code, first["Upload-Offset"]) == (204, "5000")
    last = tus(alice).send(path, SOUND[5000:], offset=5000)
    assert (last.status_code, last["Upload-Offset"]) == (204, str(len(SOUND)))


def test_head_tells_where_to_go_on(tus: Any, alice: User) -> None:
    path = tus(alice).begin(len(SOUND))
    tus(alice).send(path, SOUND[:700])
    answer = tus(alice).ask("HEAD", path)
    assert (answer.status_code, answer["Upload-Offset"], answer["Upload-Length"]) == (200, "700", str(len(SOUND)))
    assert answer["Cache-Control"] == "no-store"
    assert answer["Upload-Metadata"] == encoded(filename="Intervju på torsdag.wav", filetype="audio/wav")


def test_a_file_may_come_with_its_creation(tus: Any, alice: User) -> None:
    answer = tus(alice).create(len(SOUND), SOUND)
    assert (answer.status_code, answer["Upload-Offset"]) == (201, str(len(SOUND)))
    assert Upload.objects.get().media


def test_an_empty_piece_changes_nothing(tus: Any, alice: User) -> None:
    path = tus(alice).begin(10)
    assert tus(alice).send(path, b"").status_code == 204
    assert tus(alice).offset(path) == 0


def test_a_network_that_knows_only_post_can_be_used(tus: Any, alice: User) -> None:
    path = tus(alice).begin(len(SOUND))
    sent = {"Upload_Offset": "0", "X_HTTP_Method_Override": "PATCH"}
    assert tus(alice).ask("POST", path, SOUND, **sent).status_code == 204
    assert tus(alice).offset(path) == len(SOUND)
    assert tus(alice).ask("POST", path, X_HTTP_Method_Override="DELETE").status_code == 204


def test_a_safe_method_stays_safe(tus: Any, alice: User) -> None:
    path = tus(alice).begin(10)
    assert tus(alice).ask("HEAD", path, X_HTTP_Method_Override="DELETE").status_code == 200
    assert tus(alice).ask("GET", path, X_HTTP_Method_Override="DELETE").status_code == 405
    assert Upload.objects.exists()


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_a_piece_with_its_checksum_is_taken(tus: Any, alice: User, algorithm: str) -> None:
    path = tus(alice).begin(len(SOUND))
    answer = tus(alice).send(path, SOUND, Upload_Checksum=checksum(algorithm, SOUND))
    assert answer.status_code == 204


def test_a_piece_with_another_checksum_is_not_kept(tus: Any, alice: User, media: Any) -> None:
    path = tus(alice).begin(len(SOUND))
    answer = tus(alice).send(path, SOUND, Upload_Checksum=checksum("sha1", b"other"))
    assert (answer.status_code, answer.json()["code"]) == (460, "checksum_mismatch")
    assert tus(alice).offset(path) == 0
    assert not list(media.glob("*"))


@pytest.mark.parametrize("given", ["md5 AAAA", "sha1", "sha1 ***", "crc32 AAAA"])
def test_a_checksum_that_cannot_be_compared_is_refused(tus: Any, alice: User, given: str) -> None:
    path = tus(alice).begin(len(SOUND))
    refused = tus(alice).send(path, SOUND, Upload_Checksum=given)
    assert refused.status_code in (400, 460)
    assert tus(alice).offset(path) == 0


def test_an_ended_upload_is_gone_with_its_bytes(tus: Any, alice: User, media: Any) -> None:
    path = tus(alice).begin(len(SOUND))
    tus(alice).send(path, SOUND[:100])
    answer = tus(alice).ask("DELETE", path)
    assert (answer.status_code, answer["Tus-Resumable"]) == (204, "1.0.0")
    assert tus(alice).ask("HEAD", path).status_code == 404
    assert not list(media.glob("*"))


@pytest.mark.parametrize("offset", [0, 99, 101, 10**17])
def test_another_offset_than_the_upload_s_is_a_conflict(tus: Any, alice: User, offset: int) -> None:
    path = tus(alice).begin(len(SOUND))
    tus(alice).send(path, SOUND[:100])
    answer = tus(alice).send(path, SOUND[100:], offset=offset)
    assert (answer.status_code, answer.json()["ok"]) == (409, False)
    assert tus(alice).offset(path) == 100


def test_more_bytes_than_announced_are_refused_whole(tus: Any, alice: User, media: Any) -> None:
    path = tus(alice).begin(100)
    assert tus(alice).send(path, b"x" * 101).status_code == 413
    assert tus(alice).offset(path) == 0
    assert not list(media.glob("*"))


@pytest.mark.parametrize("version", [None, "", "0.2.2", "1.0.1"])
def test_another_version_is_refused_and_ours_told(tus: Any, alice: User, version: str | None) -> None:
    answer = tus(alice).create(10, Tus_Resumable=version)
    assert (answer.status_code, answer["Tus-Version"], answer.json()["ok"]) == (412, "1.0.0", False)
    assert not Upload.objects.exists()


def test_a_piece_of_another_type_is_refused(tus: Any, alice: User) -> None:
    path = tus(alice).begin(10)
    assert tus(alice).send(path, b"0123456789", Content_Type="audio/wav").status_code == 415


@pytest.mark.parametrize("length", [None, "", "-1", "1.5", "ten", "٣", "9" * 40])
def test_a_length_that_is_no_number_is_refused(tus: Any, alice: User, length: str | None) -> None:
    answer = tus(alice).create(0, Upload_Length=length)
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


@pytest.mark.parametrize("metadata", ["filename ***", "filename YQ==,filename Yg==", "filename gICA"])
def test_metadata_that_cannot_be_read_is_refused(tus: Any, alice: User, metadata: str) -> None:
    assert tus(alice).create(10, Upload_Metadata=metadata).status_code == 400


def test_metadata_may_lack_and_may_have_keys_without_a_value(tus: Any, alice: User) -> None:
    assert tus(alice).create(10, Upload_Metadata=None).status_code == 201
    assert tus(alice).create(10, Upload_Metadata="is_confidential, filename YQ==").status_code == 201
    assert set(Upload.objects.values_list("filename", flat=True)) == {"", "a"}


def test_an_unknown_upload_is_404_in_the_envelope(tus: Any, alice: User) -> None:
    for method in ("HEAD", "PATCH", "DELETE"):
        answer = tus(alice).ask(method, UPLOADS + str(uuid4()), b"x" if method == "PATCH" else b"", Upload_Offset="0")
        assert answer.status_code == 404
    assert answer.json() == {"ok": False, "message": "There is no such upload.", "code": "not_found", "errors": {}}
