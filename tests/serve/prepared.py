"""What a first start makes in an empty data folder, tables and static files, made once for all processes of a run of tests."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: The variable that names the folder which the processes of one run have in common.
SHARED = "TESTS_SHARED_DIR"
MAKE = "import django; django.setup(); from config import prepare; prepare.migrate(); prepare.collect_static()"
MAKE_SECONDS = 240
DATABASE, STATIC = "db.sqlite3", "static"


def prepare(folder: Path) -> Path:
    """The folder, with what the next start there need not make again. One that has been in use is left as it is."""
    if SHARED in os.environ and not (folder / DATABASE).exists():
        made = _made(Path(os.environ[SHARED]) / "prepared")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(made / DATABASE, folder / DATABASE)
        shutil.copytree(made / STATIC, folder / STATIC, copy_function=os.link, dirs_exist_ok=True)
    return folder


def _made(folder: Path) -> Path:
    with folder.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not folder.exists():
            making = folder.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            _make(making)
            making.rename(folder)
    return folder


def _make(folder: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOOLS_")}
    given = {**kept, "DJANGO_SETTINGS_MODULE": "config.settings", "TOOLS_DATA_DIR": str(folder)}
    subprocess.run([sys.executable, "-c", MAKE], cwd=ROOT, env=given, check=True, timeout=MAKE_SECONDS)
