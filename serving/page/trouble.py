"""What a browser gets where its request could not be answered: a page that says so, instead of JSON."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from serving.origin import wants_html
from serving.page.render import html

__all__ = ["in_words"]

OF_THE_BODY = frozenset({"content-type", "content-length"})
"""Headers of a problem that are not true of its page."""


def in_words(request: Request, answer: Response) -> Response:
    """The problem as a page for a person who opened the address in a browser; for a program as it is.

    The page keeps what the problem's headers say of it (`Retry-After`, `WWW-Authenticate`, `Allow`, …).
    """
    if request.method not in {"GET", "HEAD"} or not wants_html(request.scope):
        return answer
    detail = orjson.loads(bytes(answer.body)).get("detail", "")
    page = html(request, "trouble.html", status=answer.status_code, code=answer.status_code, detail=detail)
    for name, value in answer.headers.items():
        if name not in OF_THE_BODY:
            page.headers.setdefault(name, value)
    return page
