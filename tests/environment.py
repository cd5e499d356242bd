"""Loaded by pytest before Django's settings: an empty data folder of its own, and no setting of the machine's."""

import gc
import os
import shutil
import signal
import tempfile

from tests.serve.prepared import SHARED

#: Where published weights may be; their tests read them, nothing else does.
MODEL_DIR = os.environ.get("TOOLS_MODEL_DIR", "")
for name in [name for name in os.environ if name.startswith("TOOLS_") and name != "TOOLS_DATABASE_URL"]:
    del os.environ[name]
DATA_DIR = tempfile.mkdtemp(prefix="tw-test-")
os.environ["TOOLS_DATA_DIR"] = DATA_DIR
for folder in ("tmp", "static"):
    os.makedirs(os.path.join(DATA_DIR, folder))
# What all processes of one run have in common: the first of them makes it, and removes it.
_removed = [DATA_DIR]
if SHARED not in os.environ:
    os.environ[SHARED] = tempfile.mkdtemp(prefix="tw-shared-")
    _removed.append(os.environ[SHARED])

# A shell's background jobs ignore Ctrl-C, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What is imported stays to the end: to look through all of it again and again takes a quarter of the time of a run.
gc.disable()


def pytest_collection_finish() -> None:
    gc.enable()
    gc.set_threshold(50_000, 10, 10)
    gc.freeze()


def pytest_unconfigure() -> None:
    for folder in _removed:
        shutil.rmtree(folder, ignore_errors=True)
