"""How an operator sets live sessions up, and how it shows whether they work."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.children import plan
from config.env import BadEnvironment, read
from config.preflight import listen
from tests.hearing.talking import live
from tests.serve.ports import free_port
from whisper_jobs.doctor.finding import State
from whisper_jobs.doctor.live import check_live, found
from whisper_jobs.health.checks import Health
from whisper_jobs.hearing import client


@pytest.mark.parametrize("address", ["localhost", "localhost:", ":8000", "host:0", "host:70000", "host:many"])
def test_an_address_has_a_host_and_a_port(address: str) -> None:
    with pytest.raises(BadEnvironment, match=r"10\.0\.0\.5:8765"):
        read({"TOOLS_LIVE_ADDRESS": address})


def test_the_live_process_listens_beside_the_broker_unless_it_is_told_where(tmp_path: Path) -> None:
    env = read({"TOOLS_DATA_DIR": str(tmp_path)})
    assert env.live_listener == str(env.socket_path.with_name("live.sock"))
    assert read({"TOOLS_LIVE_ADDRESS": "10.0.0.5:8765"}).live_listener == ("10.0.0.5", 8765)
    assert read({"TOOLS_LIVE_ADDRESS": "[::1]:8765"}).live_listener == ("::1", 8765)


@pytest.mark.parametrize(
    ("workers", "names"), [("0", []), ("1", ["live", "live-ear-1"]), ("2", ["live", "live-ear-1", "live-ear-2"])]
)
def test_there_are_as_many_ears_as_the_operator_wants(workers: str, names: list[str]) -> None:
    env = read({"TOOLS_LIVE_WORKERS": workers})
    with listen("127.0.0.1", 0) as listener:
        assert [child.name for child in plan(env, listener) if child.name.startswith("live")] == names
    assert not [child for child in plan(env) if child.name.startswith("live")], "without a web process nobody is live"


def test_a_server_without_ears_is_not_ready_and_one_without_live_sessions_is() -> None:
    up = Health(database=True, broker=True, workers={"speech": 1})
    assert replace(up, ears=0).missing == ["live"]
    assert replace(up, ears=1).missing == replace(up, ears=None).missing == []
    assert replace(up, ears=2).as_json()["checks"]["live"] == 2


def test_the_doctor_says_what_is_wrong(settings: Any) -> None:
    assert found(None).state == State.FAIL
    assert found({"sessions": 3, "ears": 0}).state == State.FAIL
    well = found({"sessions": 3, "ears": 2})
    assert well.state == State.OK
    assert "3" in well.sentence and "2" in well.sentence
    settings.TOOLS = replace(settings.TOOLS, live_workers=0)
    assert check_live().state == State.OK


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_connection_left")
async def test_machines_reach_it_over_the_network_with_the_key_alone(tmp_path: Path, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, live_address=f"127.0.0.1:{free_port()}")
    async with live(tmp_path / "live") as here:
        told = await asyncio.to_thread(client.status)
        assert told is not None
        assert (told["process"], told["sessions"], told["ears"]) == (here.sessions.process, 0, 0)
        reader, writer = await asyncio.open_connection(*settings.TOOLS.live_listener)
        writer.write(b"\x00\x00\x00\x0fJ" + b'{"op":"status"}')
        assert b"status" not in await reader.read()
        writer.close()
        await writer.wait_closed()


@pytest.mark.asyncio
async def test_where_nobody_listens_there_is_no_status() -> None:
    assert await asyncio.to_thread(client.status) is None
    with pytest.raises(client.Unavailable):
        await client.ask({"op": "status"})
