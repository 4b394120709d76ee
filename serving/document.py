"""The OpenAPI document: what FastAPI makes of the routes, with every error as the problem that is sent."""

from typing import Any

from fastapi import FastAPI

from serving.problems import MEDIA_TYPE
from serving.schemas import Problem

__all__ = ["describe"]

REF = {"$ref": "#/components/schemas/Problem"}


def describe(app: FastAPI) -> None:
    """Let `app.openapi()` name `application/problem+json` wherever an error is answered, and what the door refuses."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("Problem", Problem.model_json_schema())
        for methods in document.get("paths", {}).values():
            for operation in methods.values():
                for status, response in operation.get("responses", {}).items():
                    if status.startswith(("4", "5")):
                        response["content"] = {MEDIA_TYPE: {"schema": REF}}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
