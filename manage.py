#!/usr/bin/env python
"""Django's command line, with settings chosen and environment mistakes told in one line."""

import os
import sys

from config.env import BadEnvironment, read
from config.preflight import Refusal, make_folders, process_environment


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        env = read()
        make_folders(env)
    except (BadEnvironment, Refusal) as error:
        sys.exit(str(error))
    if sys.argv[1:2] in (["serve"], ["transcribe"]):
        os.environ.update(process_environment(env))
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read it has gone, as `| head` does. At once: what is still open would complain of the pipe, or of the database.
        os._exit(1)


if __name__ == "__main__":
    main()
