"""`GET /stream`: incidents as they happen, as server-sent events (the HTML standard's EventSource)."""

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from serving.parts import Parts
from serving.problems import ProblemError

__all__ = ["router"]

DESCRIPTION = "`event: incident`, `data:` the incident as GET /incidents shows it; comments keep the connection open"


def router(parts: Parts) -> APIRouter:
    """The route, on these parts."""
    routes = APIRouter()

    @routes.get(
        "/stream",
        summary="Hear of incidents",
        responses={200: {"description": DESCRIPTION, "content": {"text/event-stream": {}}}},
    )
    async def get_stream() -> Response:
        """Each incident that is new or changed; who comes again asks GET /incidents for what was missed."""
        if parts.news.is_full:
            raise ProblemError(
                503, "Too many listen already; ask GET /incidents instead.", headers={"Retry-After": "30"}
            )
        return StreamingResponse(parts.news.listen(), media_type="text/event-stream")

    return routes
