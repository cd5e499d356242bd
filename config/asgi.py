"""The ASGI entry point: pages and API to Django, sockets to the live consumers."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup(set_prefix=False)

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter

from config.handler import Handler
from whisper_jobs.live.urls import websocket_urlpatterns

application = ProtocolTypeRouter(
    {"http": Handler(), "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns))}
)
