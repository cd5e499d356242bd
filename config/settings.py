"""Django's settings, made from config.env. Nothing else reads the environment."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import environ
from django.utils.translation import gettext_lazy as _

from config.env import ROOT, read

TOOLS = read()
BASE_DIR = ROOT
DATA_DIR = TOOLS.data_dir


def _kept_secret(file: Path) -> str:
    """A secret made at the first start and kept beside the data, readable by the owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=file.name) as new:
            new.write(secrets.token_urlsafe(64))
            new.flush()
            # All of it or nothing, even if this process dies; the first of two that start at once wins.
            with contextlib.suppress(FileExistsError):
                os.link(new.name, file)
    return file.read_text()


def _database() -> dict[str, Any]:
    if TOOLS.database_url:
        return {**environ.Env.db_url_config(TOOLS.database_url), "CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 60}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(DATA_DIR / "db.sqlite3"),
        # In a file, since tests too have several processes.
        "TEST": {"NAME": str(DATA_DIR / "test.sqlite3")},
        "OPTIONS": {
            # Writers queue at BEGIN instead of failing in the middle of a transaction.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;",
        },
    }


SECRET_KEY = TOOLS.secret_key or _kept_secret(DATA_DIR / "secret_key")
DEBUG = TOOLS.debug
PUBLIC_HOST = urlsplit(TOOLS.public_url).hostname or ""
ALLOWED_HOSTS = [
    host for host in ("localhost", "127.0.0.1", "[::1]", TOOLS.bind, PUBLIC_HOST, *TOOLS.allowed_hosts) if host
]
CSRF_TRUSTED_ORIGINS = [TOOLS.public_url.rstrip("/")] if TOOLS.public_url else []

INSTALLED_APPS = [
    "config.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "accounts",
    "whisper_jobs",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/whisper"
LOGOUT_REDIRECT_URL = "/login"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("sv", _("Swedish"))]
LOCALE_PATHS = [ROOT / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "media", "file_permissions_mode": 0o600},
    },
    "staticfiles": {"BACKEND": "config.static.HashedFiles"},
}
FILE_UPLOAD_TEMP_DIR = str(DATA_DIR / "tmp")
FILE_UPLOAD_HANDLERS = ["whisper_jobs.uploads.HashingUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 << 20

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "whisper_jobs.dialects.native.wire.Json",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "whisper_jobs.dialects.native.wire.AlwaysJson",
    "EXCEPTION_HANDLER": "whisper_jobs.dialects.native.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "UPDATE_LAST_LOGIN": True,
    # A new password ends all that was signed in with the old one.
    "CHECK_REVOKE_TOKEN": True,
}

_SOCKET = str(TOOLS.socket_path)
CHANNEL_LAYERS = {
    "default": {
        # Pub/sub rather than lists: a restarted broker is joined again, and a slow page holds up nobody.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [TOOLS.redis_url or f"unix://{_SOCKET}"]},
    }
}
CELERY_BROKER_URL = TOOLS.redis_url or f"redis+socket://{quote(_SOCKET)}?virtual_host=0"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TOOLS.public_url.startswith("https://")

QUIET = ("daphne", "django.channels.server", "httpx2", "celery.app.trace", "celery.worker.strategy")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": logging.INFO},
    # Every request, socket and ring of a lane would be a line.
    "loggers": {name: {"level": logging.WARNING} for name in QUIET},
}
