"""The FastAPI app: the routes on the server's parts, behind the guard, with every error as a problem."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

import sentinel
from serving import page, problems
from serving.assemble import put_away, start_readers
from serving.document import describe
from serving.guard import Guard
from serving.leavers import Leavers
from serving.page.trouble import in_words
from serving.parts import Parts
from serving.relearn import relearn
from serving.routes import incidents, logs, metrics, models, overview, patterns, predict, probes, stream, train, words

__all__ = ["ROUTES", "create_app"]

ROUTES = (
    *page.PAGES,
    "POST /logs",
    "POST /train",
    "POST /predict",
    "GET /incidents",
    "GET /incidents/{id}",
    "POST /incidents/{id}",
    "GET /anomalies",
    "POST /feedback",
    "GET /feedback",
    "DELETE /feedback/{id}",
    "GET /threshold",
    "PUT /threshold",
    "DELETE /threshold",
    "GET /threshold/preview",
    "GET /templates",
    "GET /sources",
    "GET /stream",
    "GET /models",
    "POST /models/{version}/promote",
    "POST /models/{version}/pin",
    "GET /status",
    "GET /metrics",
    "GET /health",
    "GET /ready",
)
"""What there is; a test compares it with the app and with docs/http.md."""

DESCRIPTION = "Log lines in, none lost, the strange ones named with their reasons."


def create_app(parts: Parts) -> FastAPI:
    """The app on these parts. Its lifespan starts the readers and, at the end, puts everything away."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        start_readers(parts)
        relearning = asyncio.create_task(relearn(parts))
        yield
        relearning.cancel()
        put_away(parts)

    documented = parts.is_open_documented
    app = FastAPI(
        title="Log Sentinel",
        version=sentinel.__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/openapi.json" if documented else None,
        docs_url="/docs" if documented else None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.install(app, left=Leavers(parts.meters.clients_left.inc).note, in_words=in_words)
    describe(app)
    # routes are tried in order, so what is asked most stands first
    for room in (logs, predict, probes, metrics, incidents, overview, words, patterns, stream, models, train, page):
        app.include_router(room.router(parts))
    app.add_middleware(
        Guard,
        key=parts.key,
        hosts=parts.hosts,
        count=parts.meters.answer,
        sessions=parts.sessions,
        ask_key=page.ask_key,
        in_words=in_words,
        settle=lambda: parts.detect.first_load(timeout_s=parts.limits.first_load_s),
    )
    return app
