"""The page's addresses: screens, their parts, static files, log-in; each asks in a thread and answers HTML."""

import asyncio
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

import sentinel
from serving.answers import json_answer
from serving.origin import wants_html
from serving.page import explore, health, model, now
from serving.page.login import add_login
from serving.page.plain import plain
from serving.page.render import html, spoken
from serving.parts import Parts
from serving.problems import ProblemError
from serving.small import small_object

__all__ = ["PAGES", "router"]

PAGES = ("GET /", "POST /login", "POST /logout")
"""The page's addresses that others rely on; what lies under /page/ is its own."""

MAX_SAID = 2_000  # characters
KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

Facts = Mapping[str, Any]
View = Callable[[Parts, Mapping[str, str]], Facts]


SCREENS: dict[str, tuple[str, View]] = {
    "/page/explore": ("explore.html", explore.screen),
    "/page/model": ("model.html", model.screen),
    "/page/health": ("health.html", health.screen),
    "/page/part/say": ("say.html", now.say),
    "/page/part/pulse": ("pulse.html", now.pulse),
    "/page/part/incidents": ("incidents.html", now.listed),
    "/page/part/incident": ("incident.html", now.chosen),
    "/page/part/preview": ("preview.html", model.preview),
}
"""What is shown at which address, and by which template."""


def router(parts: Parts) -> APIRouter:
    """The addresses, on these parts."""
    routes = APIRouter()
    show = _Shower(parts)

    @routes.get("/", summary="The page", responses={200: {"description": "HTML where Accept has text/html, else JSON"}})
    async def get_page(request: Request) -> Response:
        """What is wrong now, for a browser; for a program, where to look."""
        if not wants_html(request.scope):
            return json_answer(
                {"name": "Log Sentinel", "version": sentinel.__version__, "page": "/", "status": "/status"}
            )
        return await show(request, "now.html", now.screen)

    for path, (template, view) in SCREENS.items():
        routes.add_api_route(path, show.route(template, view), methods=["GET"], include_in_schema=False)

    @routes.get("/page/part/timeline", include_in_schema=False)
    async def get_timeline(request: Request) -> Response:
        """Lines and anomalies by time, for the chart."""
        return json_answer(await show.ask(now.timeline, request))

    @routes.get("/page/part/told", include_in_schema=False)
    async def get_told(request: Request) -> Response:
        """What the API said in English, in the language of the page."""
        said = request.query_params.get("said", "")[:MAX_SAID]
        return Response(plain(spoken(request).tell(said)), media_type="text/plain")

    @routes.post("/page/letters/replay", include_in_schema=False)
    async def post_replay(request: Request) -> Response:
        """Offer the dead letters of one reason to the store again."""
        found = await show.run(health.replay, parts, await small_object(request))
        return json_answer(found)

    _add_static(routes)
    add_login(routes, parts)
    return routes


def _add_static(routes: APIRouter) -> None:
    @routes.get("/page/static/{name:path}", include_in_schema=False)
    async def get_static(name: str) -> Response:
        """A file of the page; it changes with the program alone."""
        content = _static().get(name)
        if content is None:
            raise ProblemError(404, "The page has no such file.")
        kind = KINDS[name.rpartition(".")[2]]
        return Response(content, media_type=kind, headers={"Cache-Control": "max-age=300"})


class _Shower:
    """Answers with a view's facts in a template."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, request: Request, template: str, view: View) -> Response:
        facts = await self.ask(view, request)
        session = self._parts.sessions.of(request.headers)
        return html(request, template, token=self._parts.sessions.token(session), session=session, **facts)

    def route(self, template: str, view: View) -> Callable[[Request], Any]:
        """The route of one view."""

        async def answer(request: Request) -> Response:
            return await self(request, template, view)

        return answer

    async def ask(self, view: View, request: Request) -> Facts:
        """What a view finds, in a thread."""
        found: Facts = await self.run(view, self._parts, dict(request.query_params))
        return found

    async def run(self, function: Callable[..., Any], *given: object) -> Any:
        """A function of the page in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._parts.pools.read, function, *given)


@cache
def _static() -> dict[str, bytes]:
    """All files of the page by name; what is not here is not served, whatever the address says."""
    found: dict[str, bytes] = {}
    for folder, prefix in (
        (files("serving.page") / "static", ""),
        (files("serving.page") / "static" / "vendor", "vendor/"),
    ):
        for file in folder.iterdir():
            if file.is_file() and file.name.rpartition(".")[2] in KINDS:
                found[prefix + file.name] = file.read_bytes()
    return found
