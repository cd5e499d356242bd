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
from csp.constants import NONCE
from django.utils.translation import gettext_lazy as _

from config import vendor
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
        return {
            **environ.Env.db_url_config(TOOLS.database_url),
            "CONN_HEALTH_CHECKS": True,
            "CONN_MAX_AGE": 60,
            # One that a client left half read would be closed at any time, in whatever transaction is open then; and a pooler
            # that lends connections by the transaction knows none.
            "DISABLE_SERVER_SIDE_CURSORS": True,
        }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(DATA_DIR / "db.sqlite3"),
        # In a file, since tests too have several processes.
        "TEST": {"NAME": str(DATA_DIR / "test.sqlite3")},
        "OPTIONS": {
            # Writers queue at BEGIN instead of failing in the middle of a transaction.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000; PRAGMA secure_delete=ON;",
        },
    }


def _oidc() -> list[dict[str, Any]]:
    """What allauth wants to know of the provider; nothing where the operator has named none."""
    if not TOOLS.oidc_issuer:
        return []
    return [
        {
            "provider_id": "oidc",
            "name": TOOLS.oidc_name,
            "client_id": TOOLS.oidc_client_id,
            "secret": TOOLS.oidc_client_secret,
            "settings": {"server_url": TOOLS.oidc_issuer.rstrip("/")},
        }
    ]


SECRET_KEY = TOOLS.secret_key or _kept_secret(DATA_DIR / "secret_key")
DEBUG = TOOLS.debug
PUBLIC_HOST = urlsplit(TOOLS.public_url).hostname or ""
ALLOWED_HOSTS = [
    host for host in ("localhost", "127.0.0.1", "[::1]", TOOLS.bind, PUBLIC_HOST, *TOOLS.allowed_hosts) if host
]
#: How links in callbacks and mails begin; a worker has no request to read it from.
SITE_URL = TOOLS.address
CSRF_TRUSTED_ORIGINS = [TOOLS.public_url.rstrip("/")] if TOOLS.public_url else []

INSTALLED_APPS = [
    "config.apps.SiteConfig",
    "config.apps.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework_simplejwt.token_blacklist",
    "accounts",
    "whisper_jobs",
    "sharing",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.static.StaticFiles",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.language.LanguageOfUser",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
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
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/whisper"
LOGOUT_REDIRECT_URL = "/login"

ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(SITE_URL).scheme
#: A server signs in more often than people do; wrong passwords are what is kept rare.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "reset_password": "20/h/ip,5/h/key",
    "signup": "20/h/ip",
    "test_event": "10/m/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT = TOOLS.trusted_proxies
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "dashed": False, "length": 8}
MFA_ADAPTER = "accounts.adapters.TwoStepAdapter"
MFA_FORMS = {
    "add_webauthn": "accounts.forms.AddSecurityKeyForm",
    "edit_webauthn": "accounts.forms.RenameSecurityKeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Tools Whisper"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
#: Browsers have it over plain http on localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SITE_URL.startswith("https://")
USERSESSIONS_ADAPTER = "accounts.adapters.SessionsAdapter"
SOCIALACCOUNT_ADAPTER = "accounts.adapters.OidcAdapter"
SOCIALACCOUNT_ONLY = False
#: An address that the provider has verified is the same person here.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": _oidc()}}

_MAIL = environ.Env.email_url_config(TOOLS.email_url or "consolemail://")
vars().update({name: value for name, value in _MAIL.items() if value is not None})
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = TOOLS.email_from

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("sv", _("Swedish"))]
LOCALE_PATHS = [ROOT / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [ROOT / "static", *([vendor.FOLDER] if vendor.FOLDER.is_dir() else [])]
#: The client of resumable uploads; None where the set-up could not fetch it, and files go in one request.
TUS_SCRIPT = vendor.script(vendor.TUS)
#: What draws the sound in players; None where the set-up could not fetch it, and there is the seek bar alone.
WAVE_SCRIPT = vendor.script(vendor.WAVE)
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
# All the terms of a full glossary can be ticked.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2500

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.JwtAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "whisper_jobs.dialects.native.wire.Json",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["whisper_jobs.dialects.native.wire.Answer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "whisper_jobs.dialects.native.wire.AlwaysJson",
    "EXCEPTION_HANDLER": "whisper_jobs.dialects.native.errors.handle",
    "DEFAULT_SCHEMA_CLASS": "whisper_jobs.dialects.native.openapi.schema.Schema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Tools Whisper",
    "DESCRIPTION": "Transcription of recordings by a queue: /api/whisper/ for people who are signed in and their programs, "
    "/api/whisper/transcribe for servers with a personal token, which are called back.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api",
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": "whisper_jobs.states.Status",
        "StageEnum": "whisper_jobs.states.Stage",
        "StepStateEnum": "whisper_jobs.states.StepState",
        "EnrichmentStateEnum": "whisper_jobs.models.EnrichmentState",
        "CallbackStatusEnum": "whisper_jobs.dialects.native.openapi.shapes.CALLBACK_STATES",
    },
    "SORT_OPERATION_PARAMETERS": False,
    "PATH_CONVERTER_OVERRIDES": {"int": {"type": "integer", "minimum": 1}},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "whisper_jobs.dialects.native.openapi.schema.add_security",
    ],
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
CACHES = {
    "default": {
        "BACKEND": "config.cache.SteadyCache",
        # A list, since Django splits text at commas, which a folder's name may have.
        "LOCATION": [TOOLS.redis_url or f"unix://{_SOCKET}"],
        "KEY_PREFIX": "cache",
        "OPTIONS": {"serializer": "config.cache.JsonSerializer", "socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
CELERY_BROKER_URL = TOOLS.redis_url or f"redis+socket://{quote(_SOCKET)}?virtual_host=0"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        # The component that draws the sound brings a style sheet of its own.
        "style-src": ["'self'", NONCE],
        "connect-src": ["'self'"],
        # What was recorded in the page and is listened to before it is handed in.
        "media-src": ["'self'", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "config.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TOOLS.public_url.startswith("https://")

QUIET = (
    "daphne",
    "django.channels.server",
    "httpx2",
    "celery.app.trace",
    "celery.worker.strategy",
    "mcp",
    "aioice",
    "aiortc",
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": logging.INFO},
    # Every request, socket and ring of a lane would be a line.
    "loggers": {name: {"level": logging.WARNING} for name in QUIET},
}
