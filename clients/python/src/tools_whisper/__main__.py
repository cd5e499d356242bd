"""`python -m tools_whisper` is the command line."""

from __future__ import annotations

import sys

from tools_whisper.cli.main import main

sys.exit(main())
