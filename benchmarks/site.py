"""Settings of the server of the submit figure: the product's own, and one more address."""

from __future__ import annotations

from config.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.site_urls"
