"""`POST /login` and `POST /logout`: the key once, then a cookie."""

import urllib.parse
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from serving.page.render import html
from serving.problems import ProblemError

if TYPE_CHECKING:
    from serving.parts import Parts

__all__ = ["add_login", "ask_key", "safe_next"]

MAX_FORM = 8_192  # bytes


def add_login(routes: APIRouter, parts: "Parts") -> None:
    """Add both addresses."""

    @routes.post("/login", summary="Log in at the page", responses={303: {"description": "a cookie of twelve hours"}})
    async def post_login(request: Request) -> Response:
        """A form with `key`; the right one gives a cookie and leads to the page, a wrong one shows the form again."""
        if parts.key is None:
            return RedirectResponse("/", 303)
        form = await _form(request)
        goal = safe_next(form.get("next", "/"))
        if not parts.sessions.is_key(form.get("key", "")):
            return _form_page(request, goal, status=401)
        return RedirectResponse(goal, 303, headers={"Set-Cookie": parts.sessions.begin()})

    @routes.post("/logout", summary="Log out of the page", responses={303: {"description": "the cookie is gone"}})
    async def post_logout() -> Response:
        """The cookie is taken back."""
        return Response(b"{}", 200, headers={"Set-Cookie": parts.sessions.end()}, media_type="application/json")


def ask_key(request: Request) -> Response:
    """The form that asks for the key, and leads to where the person wanted to go."""
    return _form_page(request, f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path)


def _form_page(request: Request, goal: str, *, status: int = 200) -> Response:
    """With another status than 200 it says that the last key was wrong."""
    return html(request, "login.html", status=status, next=goal, wrong=status != 200)


def safe_next(goal: str) -> str:
    r"""Where to go after the log-in: a path of this server, nowhere else.

    >>> safe_next("/?incident=7"), safe_next("//evil.example"), safe_next("/\\evil"), safe_next("https://x")
    ('/?incident=7', '/', '/', '/')
    """
    is_ours = goal.startswith("/") and not goal.startswith("//") and goal.isprintable() and "\\" not in goal
    return goal if is_ours else "/"


async def _form(request: Request) -> dict[str, str]:
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > MAX_FORM:
            raise ProblemError(413, f"The form is at most {MAX_FORM} bytes.")
    pairs = urllib.parse.parse_qsl(content.decode(errors="replace"), keep_blank_values=True, max_num_fields=10)
    return dict(pairs)
