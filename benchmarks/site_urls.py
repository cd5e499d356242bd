"""The product's site map and `/bench/insert`, the least that a view can do that stores something: one row for whoever asks."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.admin.models import ADDITION, LogEntry
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from config.urls import handler400, handler404, handler500
from config.urls import urlpatterns as product

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]


class InsertView(APIView):
    """Signed in to as the API is, with JSON in and JSON out."""

    def post(self, request: Request) -> Response:
        told, user = str(cast(dict[str, Any], request.data)["source_url"]), cast(User, request.user)
        row = LogEntry.objects.create(user_id=user.pk, action_flag=ADDITION, object_repr=told, change_message=told)
        return Response({"ok": True, "id": row.pk}, status=201)


urlpatterns: list[Any] = [path("bench/insert", InsertView.as_view()), *product]
