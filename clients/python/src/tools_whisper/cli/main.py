"""The entry point: runs one verb, and tells what went wrong as a sentence and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tools_whisper.cli.commands import Interrupted
from tools_whisper.cli.parser import parser
from tools_whisper.cli.screen import note
from tools_whisper.errors import ApiError, Forbidden, ToolsWhisperError, Unauthorized, Unreachable

FAILED, NOT_ALLOWED, UNREACHABLE, INTERRUPTED = 1, 3, 4, 130


def main(words: Sequence[str] | None = None) -> int:
    told = parser().parse_args(words)
    try:
        status: int = told.run(told)
    except ApiError as error:
        return _refused(error)
    except Unreachable as error:
        note(str(error))
        return UNREACHABLE
    except ToolsWhisperError as error:
        note(str(error))
        return FAILED
    except Interrupted as left:
        note(f"Job {left.job_id} goes on. Come back to it: tools-whisper wait {left.job_id}")
        return INTERRUPTED
    except (KeyboardInterrupt, EOFError):
        note("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read this has enough; Python must not complain of that when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def _refused(error: ApiError) -> int:
    note(str(error))
    for field, sentences in error.fields.items():
        for sentence in sentences:
            if sentence != str(error):
                note(f"  {field}: {sentence}")
    return NOT_ALLOWED if isinstance(error, Unauthorized | Forbidden) else FAILED


if __name__ == "__main__":
    sys.exit(main())
