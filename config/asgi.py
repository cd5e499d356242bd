"""The ASGI entry point: pages and APIs to Django, the one of assistants to its own application, sockets to the consumers."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup(set_prefix=False)

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter

from config.handler import Handler
from whisper_jobs.dialects.mcp.endpoint import PATH as MCP_PATH
from whisper_jobs.dialects.mcp.endpoint import Endpoint
from whisper_jobs.dialects.openai.realtime_socket_urls import websocket_urlpatterns as realtime_sockets
from whisper_jobs.dialects.scaiecho.socket_urls import websocket_urlpatterns as speech_sockets
from whisper_jobs.live.urls import websocket_urlpatterns

_pages, _assistants = Handler(), Endpoint()


async def _http(scope: Any, receive: Any, send: Any) -> None:
    await (_assistants if scope["path"] == MCP_PATH else _pages)(scope, receive, send)


_sockets = URLRouter([*realtime_sockets, *speech_sockets, *websocket_urlpatterns])
application = ProtocolTypeRouter({"http": _http, "websocket": AuthMiddlewareStack(_sockets)})
