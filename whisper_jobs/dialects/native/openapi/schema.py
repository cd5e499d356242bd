"""Makes drf-spectacular's description of a view out of the table in operations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, OpenApiResponse

from whisper_jobs import sandbox
from whisper_jobs.dialects.idempotency import HEADER, LONGEST
from whisper_jobs.dialects.native.access import TOKEN_API
from whisper_jobs.dialects.native.openapi import examples, operations
from whisper_jobs.dialects.native.openapi.operations import REFUSALS, Operation
from whisper_jobs.dialects.native.openapi.shapes import ErrorSerializer
from whisper_jobs.speech.formats import FORMATS

Json = dict[str, Any]
SCRIPT = (
    "With a token of the sandbox alone: how the job ends, such as `finish_in=3; error=no_speech` or "
    "`finish_in=never`; also `segments` and `callback_failures`."
)
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
#: Ways to say who one is.
SIGNED_IN: list[Json] = [{"jwt": []}, {"session": []}]
TOKEN: list[Json] = [{"token": []}, {"tokenHeader": []}, {"tokenParameter": []}]
SECURITY_SCHEMES: Json = {
    "jwt": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "`access` of POST /api/account/login. For people and their programs.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "A browser that is signed in. Changes need the header `X-CSRFToken` besides.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A personal token of provider `provider_whisper_api`, for servers.",
    },
    "tokenHeader": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "For older clients."},
    "tokenParameter": {"type": "apiKey", "in": "query", "name": "apikey", "description": "For older clients."},
}


class Schema(AutoSchema):
    """A view without a line in the table is left out."""

    @property
    def operation(self) -> Operation:
        found = operations.find(self.method, self.path)
        assert found is not None
        return found

    @property
    def is_token_api(self) -> bool:
        return bool(getattr(self.view, "channel", None) == TOKEN_API["channel"])

    def is_excluded(self) -> bool:
        return operations.find(self.method, self.path) is None

    def get_summary(self) -> str:
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override]
        return self.operation.description

    def get_tags(self) -> list[str]:
        return [f"Token API: {self.operation.tag.lower()}" if self.is_token_api else self.operation.tag]

    def get_operation_id(self) -> str:
        words = [word for word in self.path.strip("/").split("/")[1:] if not word.startswith("{")]
        return "_".join([self.method.lower(), *words, *(["one"] if self.path.endswith("_id}") else [])]).replace(
            "-", "_"
        )

    def get_auth(self) -> list[dict[str, Any]]:
        if self.operation.tag == operations.ACCOUNT:
            return []
        return TOKEN if self.is_token_api else SIGNED_IN

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = [self.operation.query] if self.operation.query else []
        if "{name}" in self.path:
            parameters.append(OpenApiParameter("name", str, OpenApiParameter.PATH, enum=tuple(FORMATS)))
        if self.operation.makes_a_job and self.is_token_api:
            parameters.append(OpenApiParameter(sandbox.HEADER, str, OpenApiParameter.HEADER, description=SCRIPT))
        if self.operation.makes_a_job:
            shape = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]+$"}
            told = "Your own name for this request: sent again, it makes no second job. Kept for 24 hours."
            parameters.append(OpenApiParameter(HEADER, shape, OpenApiParameter.HEADER, description=told))
        return parameters

    def get_request_serializer(self) -> Any:
        body, form_body = self.operation.body, self.operation.form_body
        if self.operation.tag == operations.ACCOUNT:
            return super().get_request_serializer()
        if body is None:
            return {}
        asked = [OpenApiExample("As published", self.operation.asks)] if self.operation.asks else []
        described = {"application/json": OpenApiRequest(body, examples=asked)}
        return {**described, **{media: OpenApiRequest(form_body or body) for media in FORMS}}

    def get_response_serializers(self) -> Any:
        told = self.operation
        good = [OpenApiExample("As published", told.answers)] if told.answers else []
        if isinstance(told.answer, dict):
            found: dict[Any, Any] = {(200, media): OpenApiResponse(shape) for media, shape in told.answer.items()}
        else:
            found = {(told.status, "application/json"): OpenApiResponse(told.answer, examples=good)}
        found |= {(status, "application/json"): OpenApiResponse(shape) for status, shape in told.also.items()}
        for status in told.statuses(self.path):
            found[status, "application/json"] = OpenApiResponse(ErrorSerializer, REFUSALS[status], _failure(status))
        return found


def _failure(status: int) -> list[OpenApiExample]:
    return [OpenApiExample("A refusal", examples.FAILURE)] if status == 422 else []


def add_security(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular's: what the names in `security` mean."""
    result["components"]["securitySchemes"] = SECURITY_SCHEMES
    return result
