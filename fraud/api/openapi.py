"""The OpenAPI document: routes from FastAPI, schemas from the types that really read and write the bodies."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from fraud.domain.alerts import Alert

CLICK_EXAMPLE: dict[str, Any] = {
    "click_id": "c-1029",
    "clicked_at": "2026-03-01T10:00:00Z",
    "affiliate_id": "aff-7",
    "offer_id": "shoes",
    "sub_id": "newsletter",
    "ip": "203.0.113.7",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/133.0 Safari/537.36",
    "country": "DE",
}

CONVERSION_EXAMPLE: dict[str, Any] = {
    "conversion_id": "v-77",
    "converted_at": "2026-03-01T10:07:41Z",
    "affiliate_id": "aff-7",
    "click_id": "c-1029",
    "order_id": "10044",
    "amount": "59.90",
    "commission": "4.79",
    "currency": "EUR",
    "status": "pending",
}

APPLICATION_EXAMPLE: dict[str, Any] = {
    "name": "Ada Example",
    "email": "ada@example.org",
    "websites": ["https://blog.example.org"],
    "affiliate_type": "content",
    "traffic_sources": ["seo"],
}

_REF = "#/components/schemas/{name}"
_REFUSALS = {
    401: "No key, or one that is not known",
    403: "The key's role or programs do not reach this far",
    404: "What is named, or its program, is not there",
    409: "What is asked for contradicts what is there",
    413: "The body is larger than is read at once",
    422: "Something in the address or the body cannot be understood",
    429: "The key has asked more often than it may; `Retry-After` says when to ask again",
    503: "Cannot be answered now; `Retry-After` says when to ask again",
}
"""Every status that an error has (RFC 9457), and what it says."""
_OPEN = frozenset({"/healthz", "/readyz", "/tag.js", "/v1/tag/{tag_id}"})
"""What answers without a key, and says itself what it may answer."""
_REPLACED = frozenset({"HTTPValidationError", "ValidationError"})
"""FastAPI's own errors, which are never answered: problems are."""


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """A page of alerts; `next_cursor` is `null` on the last."""

    items: tuple[Alert, ...]
    next_cursor: str | None


def json_body(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    """A JSON body of one named schema."""
    content = {"application/json": {"schema": {"$ref": _REF.format(name=schema)}, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def one_of_many(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    """A body of many: a JSON array or one a line."""
    item = {"$ref": _REF.format(name=schema)}
    content = {
        "application/json": {"schema": {"type": "array", "items": item, "maxItems": 10_000}, "example": [example]},
        "application/x-ndjson": {"schema": item, "example": msgspec.json.encode(example).decode()},
    }
    return {"requestBody": {"required": True, "content": content}}


def responds(*schemas: str, status: int = 200, many: bool = False) -> dict[str, Any]:
    """What a route answers when all is well: one of these schemas, or a list of the first."""
    refs: list[dict[str, Any]] = [{"$ref": _REF.format(name=name)} for name in schemas]
    one = refs[0] if len(refs) == 1 else {"anyOf": refs}
    content = {"application/json": {"schema": {"type": "array", "items": one} if many else one}}
    return {"responses": {str(status): {"description": "Done" if status == 200 else "Accepted", "content": content}}}


def text(media_type: str) -> dict[str, Any]:
    """Content that is plain text of a media type."""
    return {media_type: {"schema": {"type": "string"}}}


def refused_with(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route that says itself what it may answer."""
    content = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    return {status: {"description": _REFUSALS[status], "content": content} for status in statuses}


def columns_asked(*types: type[msgspec.Struct]) -> dict[str, Any]:
    """The fields of these types as optional parameters of an address, where everything is text."""
    names = dict.fromkeys(name for kind in types for name in kind.__struct_fields__)
    return {"parameters": [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in names]}


def describe(app: FastAPI, types: list[type]) -> dict[str, Any]:
    """The document, with schemas of `types` by their names, keys and problems on every route that needs them."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    _, components = msgspec.json.schema_components([*types, Alerts], ref_template=_REF)
    kept = document.setdefault("components", {})
    kept["schemas"] = {name: schema for name, schema in kept.get("schemas", {}).items() if name not in _REPLACED} | components
    kept["responses"] = _problems()
    kept["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"] = _responses(path, operation)
            if path not in _OPEN:
                operation["security"] = [{"bearer": []}, {"header": []}]
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))
    return plain


def _responses(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """The route's own answers, and the problems it can give instead of FastAPI's own errors."""
    own = {status: response for status, response in operation["responses"].items() if not _is_replaced(response)}
    if "202" in own:
        own.pop("200", None)
    if path in _OPEN:
        return own
    return {**own, **{str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in _refusals(path, operation)}}


def _is_replaced(response: dict[str, Any]) -> bool:
    schemas = [content.get("schema", {}) for content in response.get("content", {}).values()]
    return any(schema.get("$ref") == _REF.format(name=name) for schema in schemas for name in _REPLACED)


def _refusals(path: str, operation: dict[str, Any]) -> list[int]:
    """What a route with a key may be refused with."""
    statuses = {401, 403, 422, 429, 503}
    if path.startswith("/v1"):
        statuses.add(404)
    if "requestBody" in operation:
        statuses.add(413)
    if "requestBody" in operation or operation["operationId"].endswith("_post"):
        statuses.add(409)
    return sorted(statuses)


def _problems() -> dict[str, Any]:
    """Every refusal under its name, for routes to refer to."""
    content = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    return {_name(status): {"description": text, "content": content} for status, text in _REFUSALS.items()}


def _name(status: int) -> str:
    return f"Problem{status}"
