"""Templates in, HTML out: every value escaped, every text of a log plain, every answer under a strict policy."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from serving.page.language import Words, choose, words
from serving.page.plain import plain, shortened

__all__ = ["POLICY", "html", "moment", "points", "scaled", "spoken"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Referrer-Policy": "same-origin"}
"""With `no-referrer`, as all else has it, a browser sends a form of our own as from nowhere (`Origin: null`), which is
refused: nobody could log in. Other sites learn nothing either way."""

SPARK_WIDTH, SPARK_HEIGHT = 80, 24


def html(request: Request, template: str, *, status: int = 200, **context: object) -> Response:
    """The answer with this template in the language of the request."""
    text = _environment().get_template(template).render(t=spoken(request), **context)
    return Response(
        text,
        status,
        headers={**HEADERS, "Content-Security-Policy": POLICY, "Vary": "Accept, Accept-Language, Cookie"},
        media_type="text/html",
    )


def spoken(request: Request) -> Words:
    """The words of the language that the request prefers."""
    return words(choose(request.headers.get("accept-language", "")))


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("serving.page"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "plain": plain,
        "shortened": shortened,
        "moment": moment,
        "number": _number,
        "marked": _marked,
        "points": points,
        "span": _spoken_span,
    }
    return made


def moment(value: object) -> Markup:
    """A time as UTC, which the page's script turns into the reader's zone; empty where there is none."""
    found = _as_time(value)
    if found is None:
        return Markup("")
    iso = found.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Markup('<time datetime="{iso}" title="{shown} UTC">{shown}</time>').format(
        iso=iso, shown=iso[:19].replace("T", " ")
    )


def _as_time(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


@pass_context
def _number(context: Context, value: float, digits: int = 0) -> str:
    """A number as the language of the page writes it."""
    told: Words = context["t"]
    return told.number(value, digits)


@pass_context
def _spoken_span(context: Context, seconds: float) -> str:
    told: Words = context["t"]
    return told.written(_span(seconds))


def _span(seconds: float) -> str:
    """A length of time with its unit.

    >>> _span(0.25), _span(90), _span(7200)
    ('0.25 s', '90 s', '2 h')
    """
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def _marked(text: str, parts: Sequence[str]) -> Markup:
    """The plain text with its odd parts marked, each once; the longest part wins where two overlap."""
    shown, found = plain(text), list[tuple[int, int]]()
    for part in sorted({plain(part) for part in parts if part}, key=len, reverse=True):
        at = shown.find(part)
        if at >= 0 and all(at >= end or at + len(part) <= start for start, end in found):
            found.append((at, at + len(part)))
    pieces, done = [Markup()], 0
    for start, end in sorted(found):
        pieces += [Markup("{}<mark>{}</mark>").format(shown[done:start], shown[start:end])]
        done = end
    return Markup("").join([*pieces, Markup("{}").format(shown[done:])])


def points(values: Sequence[float], width: int = SPARK_WIDTH, height: int = SPARK_HEIGHT) -> str:
    """The points of a sparkline on its own scale.

    >>> points([0, 1, 2], 10, 4)
    '0,3 5,2 10,1'
    """
    return scaled(values, max([*values, 1e-9]), width, height)


def scaled(values: Sequence[float], top: float, width: int, height: int) -> str:
    """The points of a line in a picture, left to right, 0 at the bottom and `top` a point below the upper edge."""
    step = width / max(len(values) - 1, 1)
    return " ".join(f"{n * step:.4g},{height - 1 - value / top * (height - 2):.4g}" for n, value in enumerate(values))
