"""docs/clients.md and the list of examples tell of what there is, and of all of it."""

from __future__ import annotations

import argparse
import ast
import re
import sys

import pytest
from tools_whisper import Client, webhooks
from tools_whisper.cli.main import main
from tools_whisper.cli.parser import parser

from tests.clients.conftest import EXAMPLES, SOURCES
from tests.serve.servers import ROOT

TEXT = (ROOT / "docs" / "clients.md").read_text()


def test_every_verb_and_every_method_is_told() -> None:
    (verbs,) = (one.choices for one in parser()._actions if isinstance(one, argparse._SubParsersAction))
    for verb in verbs:
        assert re.search(rf"`{verb}\b", TEXT), verb
    for name in vars(Client):
        assert name.startswith("_") or name == "close" or f"`{name}`" in TEXT, name
    assert f"webhooks.{webhooks.verify.__name__}(" in TEXT


def test_its_programs_are_programs() -> None:
    found = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(found) == 3
    for program in found:
        compile(program, "clients.md", "exec")


def test_every_example_is_listed_and_there() -> None:
    told = set(re.findall(r"`((?:curl|python|javascript)/[\w.-]+)`", (EXAMPLES / "README.md").read_text()))
    there = {str(one.relative_to(EXAMPLES)) for one in EXAMPLES.glob("*/*") if one.suffix in (".sh", ".py", ".mjs")}
    assert told == there


def test_the_client_needs_nothing_of_the_server() -> None:
    modules = {"__future__", "tools_whisper", "httpx2", "websockets", *sys.stdlib_module_names}
    for file in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= modules, file


def test_help_names_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "watch" in capsys.readouterr().out
