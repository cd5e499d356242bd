"""A server from its first check to its last process: what `manage.py serve` does, and what `transcribe` borrows."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from django.db import connections

from config import prepare
from config.children import plan, preload
from config.env import Env
from config.output import Output
from config.preflight import empty, listen, lock, make_folders
from config.supervisor import Supervisor
from whisper_jobs import tasks

PROBE_TIMEOUT_SECONDS = 2.0


def serve(env: Env) -> None:
    """Runs the server until it is told to stop. Raises Refusal when it can't start."""
    make_folders(env)
    held = lock(env)
    listener = listen(env.bind, env.port)
    children = plan(env, listener)
    output = Output(env.data_dir / "log")
    # Not through `output`, which keeps what it shows: a password belongs in no log.
    get_ready(env, partial(print, flush=True))
    Supervisor(
        env.data_dir / "run",
        output,
        children,
        private=(held,),
        listener=listener,
        missing=partial(missing, env),
        on_ready=lambda: output.say(f"Tools Whisper is ready: {env.address}/whisper (Ctrl-C stops it)"),
    ).run()
    tidy(env)
    output.say("Stopped.")
    os.close(held)


def work(env: Env, held: int) -> None:
    """Everything but the web, with nothing on the terminal. The caller holds the lock and has called get_ready."""
    Supervisor(env.data_dir / "run", Output(env.data_dir / "log", None), plan(env), private=(held,)).run()
    tidy(env)


def get_ready(env: Env, tell: Callable[[str], object]) -> None:
    """Tables, static files, the first admin. Leaves no connection open, since forked processes would share it."""
    empty(env.data_dir / "tmp")
    prepare.migrate()
    prepare.collect_static()
    tasks.bury_the_dead()
    preload()
    admin = prepare.first_admin(env.admin_email, env.admin_password)
    if admin:
        chosen = f"password {admin.password} (shown only now)" if admin.password else "the password you chose"
        tell(f"First admin: {admin.email}, {chosen}")
    connections.close_all()


def tidy(env: Env) -> None:
    env.socket_path.unlink(missing_ok=True)
    if isinstance(env.live_listener, str):
        Path(env.live_listener).unlink(missing_ok=True)


def missing(env: Env) -> list[str]:
    """What /readyz says is not up yet; empty when the server is ready."""
    connection = http.client.HTTPConnection(env.near_host, env.port, timeout=PROBE_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        answer = connection.getresponse()
        if answer.status == 200:
            return []
        return [str(name) for name in json.loads(answer.read()).get("missing", [])] or ["web"]
    except (OSError, http.client.HTTPException, ValueError):
        return ["web"]
    finally:
        connection.close()
