"""Server, token and callback address: from the environment, or as `login` has stored them."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tools_whisper.errors import ToolsWhisperError

VARIABLES = {"url": "TOOLS_WHISPER_URL", "token": "TOOLS_WHISPER_TOKEN", "callback_url": "TOOLS_WHISPER_CALLBACK_URL"}


@dataclass(frozen=True, slots=True)
class Settings:
    url: str
    token: str = field(repr=False)
    callback_url: str = ""


def path(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME") or Path.home()) / ".config"
    return Path(base) / "tools-whisper" / "config.toml"


def uploads(environment: Mapping[str, str]) -> Path:
    """Where uploads that have begun are noted."""
    base = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME") or Path.home()) / ".cache"
    return Path(base) / "tools-whisper" / "uploads"


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The environment comes first. A stored token goes to the server that it was stored with, and to no other."""
    told = {name: environment[variable] for name, variable in VARIABLES.items() if environment.get(variable)}
    stored = _stored(path(environment))
    if "url" in told and told["url"].rstrip("/") != str(stored.get("url", "")).rstrip("/"):
        stored = {}
    found = {**stored, **told}
    if not (found.get("url") and found.get("token")):
        raise ToolsWhisperError(
            "Which server, and as whom? Run `tools-whisper login`, or set TOOLS_WHISPER_URL and TOOLS_WHISPER_TOKEN."
        )
    return Settings(found["url"], found["token"], found.get("callback_url", ""))


def store(settings: Settings, environment: Mapping[str, str] = os.environ) -> Path:
    """For this user's eyes only, also while it is being written."""
    target = path(environment)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The strings of JSON without its escapes of letters are strings of TOML.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in asdict(settings).items()]
    handle, made = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(lines)
    os.replace(made, target)
    return target


def _stored(target: Path) -> dict[str, str]:
    try:
        found = tomllib.loads(target.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ToolsWhisperError(f"{target} can't be read: {error}") from error
    return {name: value for name, value in found.items() if name in VARIABLES and isinstance(value, str)}
