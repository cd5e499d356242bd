"""The words of the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools_whisper.cli import commands, speaking

DESCRIPTION = "Hands recordings to a Tools Whisper server, and gets their transcripts."
EPILOG = """Exit status: 0 done, 1 refused or failed, 2 wrong words, 3 no permission, 4 the server can't be reached,
130 interrupted: jobs that were handed in go on."""


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser("tools-whisper", description=DESCRIPTION, epilog=EPILOG)
    whole.add_argument("--json", action="store_true", help="print JSON, a line per result")
    verbs = whole.add_subparsers(dest="verb", required=True, metavar="VERB")
    _login(verbs.add_parser("login", help="store the server's address and a token"))
    _submit(verbs.add_parser("submit", help="hand in files and addresses"))
    _wait(verbs.add_parser("wait", help="wait for a job, then print or write its transcript"))
    _one(verbs.add_parser("watch", help="print a job's words as they come"), commands.watch)
    _export(verbs.add_parser("export", help="write a transcript as a file"))
    _share(verbs.add_parser("share", help="make or show the public link"))
    _list(verbs.add_parser("list", help="list jobs, newest first"))
    for verb, told in (("show", "show a job"), ("cancel", "cancel a job"), ("restart", "let a failed job go on")):
        _one(verbs.add_parser(verb, help=told), getattr(commands, verb))
    _one(verbs.add_parser("delete", help="delete a job that isn't being processed"), commands.delete)
    _live(verbs.add_parser("live", help="print words while somebody speaks"))
    return whole


def _login(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--url", help="address of the server; asked for where it is left out")
    verb.add_argument("--callback-url", default=None, help="where the server tells the end of each job")
    verb.set_defaults(run=commands.login)


def _submit(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("sources", nargs="+", metavar="FILE|URL")
    verb.add_argument("--callback-url", default="", help="where the server tells the end of the job")
    verb.add_argument("--title", dest="source_label")
    verb.add_argument("--note", dest="source_note")
    verb.add_argument("--model")
    verb.add_argument("--language", help="what is spoken; left out: it is found out")
    verb.add_argument("--analyse", dest="analysis_language", metavar="LANGUAGE", help="analyse, in this language")
    verb.add_argument("--translate", dest="translation_target_languages", metavar="LANGUAGE", action="append")
    verb.add_argument("--no-speakers", dest="disable_diarization", action="store_true", default=None)
    verb.add_argument("--min-speakers", type=int)
    verb.add_argument("--max-speakers", type=int)
    verb.add_argument("--prompt", dest="initial_prompt", help="what was said before")
    verb.add_argument("--hotword", dest="hotwords", action="append", help="a name or term; once for each")
    verb.add_argument("--key", default="", help="your name for this; the same again makes no second job")
    verb.add_argument("--sandbox", default="", metavar="SCRIPT", help="what a token of the sandbox plays")
    verb.add_argument("--wait", action="store_true", help="wait, then print or write the transcript")
    _written(verb)
    verb.set_defaults(run=commands.submit)


def _wait(verb: argparse.ArgumentParser) -> None:
    _one(verb, commands.wait)
    _written(verb)


def _export(verb: argparse.ArgumentParser) -> None:
    _one(verb, commands.export)
    _written(verb)
    verb.add_argument("--language", default="", help="of a translation")


def _share(verb: argparse.ArgumentParser) -> None:
    _one(verb, commands.share)
    verb.add_argument("--days", type=int, help="how long it lives")
    verb.add_argument("--new-link", action="store_true", help="another in its place")
    verb.add_argument("--revoke", action="store_true")


def _list(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--status", default="", help="a status, or active")
    verb.add_argument("--search", default="", help="in titles, notes and transcripts")
    verb.add_argument("--limit", type=int, default=20)
    verb.set_defaults(run=commands.listed)


def _live(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--file", type=Path, help="sound of a file in place of the microphone: WAV, Ogg or WebM")
    verb.add_argument("--language", default="")
    verb.add_argument("--chunk", type=float, default=2.0, metavar="SECONDS", help="how much is read at once, 0.5 to 60")
    verb.add_argument("--speakers", action="store_true", help="tell speakers apart")
    verb.set_defaults(run=speaking.live)


def _one(verb: argparse.ArgumentParser, run: object) -> None:
    verb.add_argument("id", type=int)
    verb.set_defaults(run=run)


def _written(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--format", default="", help="txt, srt, vtt, json, docx …; txt unless -o says otherwise")
    verb.add_argument("-o", "--output", type=Path, metavar="FILE", help="a file, or a folder for several")
