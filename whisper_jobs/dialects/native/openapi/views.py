"""GET /api/schema, and the pages that show it: Swagger UI and ReDoc. Open to all, since they tell nothing of this server."""

from __future__ import annotations

import functools
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views import View
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

#: ReDoc adds empty style elements, which it then fills through the browser's own interface; this is the hash of nothing.
EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
#: And one with the rules of its scrollbars; a browser tells the hash of another in its console.
SCROLLBAR_STYLE = "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
YAML, JSON = "application/yaml", "application/json"


class SchemaView(View):
    """JSON, or YAML for those who ask for it by `?format=yaml` or in Accept."""

    def get(self, request: HttpRequest) -> HttpResponse:
        accepted = request.headers.get("Accept", "")
        named = request.GET.get("format", "yaml" if "yaml" in accepted and JSON not in accepted else "json")
        answer = HttpResponse(_rendered(named == "yaml"), content_type=YAML if named == "yaml" else JSON)
        answer["Vary"] = "Accept"
        return answer


class SwaggerView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "api/swagger.html")


@method_decorator(csp_update({"style-src": ["'self'", EMPTY_STYLE, SCROLLBAR_STYLE]}), name="dispatch")
class RedocView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "api/redoc.html")


@functools.cache
def _rendered(as_yaml: bool) -> bytes:
    """In English, and made once: it only changes with the code."""
    renderer = OpenApiYamlRenderer() if as_yaml else OpenApiJsonRenderer()
    return bytes(renderer.render(described(), renderer_context={}))


@functools.cache
def described() -> dict[str, Any]:
    with translation.override(settings.LANGUAGE_CODE):
        return dict(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]
