"""A small JSON object as a request's body, for routes that take an order rather than logs."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request

from serving.problems import ProblemError

__all__ = ["small_object"]

MAX_BYTES = 65_536


async def small_object(request: Request, *, default: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The object of the body; `default` for an empty body, where one is given.

    Raises ProblemError: 400 for anything else, 413 for more than MAX_BYTES.
    """
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > MAX_BYTES:
            raise ProblemError(413, f"The body of this request is at most {MAX_BYTES:,} bytes.")
    if not content.strip() and default is not None:
        return default
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as exc:
        raise ProblemError(400, f"The body is no JSON: {exc}.") from None
    if not isinstance(found, dict):
        raise ProblemError(400, "The body is a JSON object.")
    return found
