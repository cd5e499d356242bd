"""Loaded by pytest before Django's settings: an empty data folder of its own, and no setting of the machine's."""

import os
import shutil
import tempfile

#: Where published weights may be; their tests read them, nothing else does.
MODEL_DIR = os.environ.get("TOOLS_MODEL_DIR", "")
for name in [name for name in os.environ if name.startswith("TOOLS_") and name != "TOOLS_DATABASE_URL"]:
    del os.environ[name]
DATA_DIR = tempfile.mkdtemp(prefix="tw-test-")
os.environ["TOOLS_DATA_DIR"] = DATA_DIR
for folder in ("tmp", "static"):
    os.makedirs(os.path.join(DATA_DIR, folder))


def pytest_unconfigure() -> None:
    shutil.rmtree(DATA_DIR, ignore_errors=True)
