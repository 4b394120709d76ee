"""Web access lines of a shop: visits of several pages, crawlers, a load balancer's checks, an occasional 404 or 500."""

import random
from collections.abc import Iterator

from sentinel.simulate.clock import Row, Span, arrivals, ticks
from sentinel.simulate.world import World

__all__ = ["BROWSERS", "access_line", "level_of", "web"]

BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
)
PAGES = (
    "/", "/shop", "/shop/lamps", "/shop/chairs", "/shop/desks", "/about", "/contact", "/cart", "/checkout",
    "/help/returns", "/help/delivery", "/blog", "/blog/oak-or-ash", "/blog/light-in-winter", "/account", "/search",
)  # fmt: skip
ASSETS = ("/static/main.css", "/static/shop.js", "/static/logo.svg", "/static/fonts/inter.woff2", "/favicon.ico")
LOST = ("/apple-touch-icon.png", "/shop/sofas-2019", "/old/catalogue.pdf", "/ads.txt", "/blog/feed.xml")
CRAWLER = "Mozilla/5.0 (compatible; LanternBot/1.3; +https://lantern.example/bot)"
HOSTS = ("web-1", "web-2")


def level_of(status: int) -> str:
    """The level of a request with this HTTP status."""
    return "error" if status >= 500 else "warn" if status >= 400 else "info"


def access_line(address: str, request: str, status: int, size: int, referer: str, agent: str) -> str:
    """The message of one request: the combined format without its time."""
    return f'{address} "{request} HTTP/1.1" {status} {size} "{referer}" "{agent}"'


def _status(rng: random.Random) -> int:
    return rng.choices((200, 304, 302, 404, 500, 499), (9300, 400, 160, 60, 8, 12))[0]


def _target(rng: random.Random, status: int) -> str:
    if status == 404:
        return rng.choice(LOST)
    page = rng.choice(PAGES)
    if page == "/search":
        return f"/search?q={rng.choice(('lamp', 'oak', 'desk', 'shelf', 'blue+chair'))}&page={rng.randint(1, 4)}"
    return f"/shop/item/{rng.randint(1000, 1999)}" if page.startswith("/shop/") and rng.random() < 0.6 else page


def _visit(rng: random.Random, at_s: float, address: str, host: str) -> Iterator[Row]:
    agent = BROWSERS[hash_of(address) % len(BROWSERS)]
    referer = rng.choice(("-", "-", "https://search.example/", "https://shop.example/"))
    for _ in range(1 + min(int(rng.expovariate(0.45)), 12)):
        status = _status(rng)
        target = _target(rng, status)
        method = "POST" if target in {"/cart", "/checkout"} and rng.random() < 0.5 else "GET"
        size = 0 if status in {304, 499} else rng.randint(400, 60_000)
        yield (
            at_s,
            level_of(status),
            "nginx",
            host,
            access_line(address, f"{method} {target}", status, size, referer, agent),
        )
        for asset in rng.sample(ASSETS, rng.randint(0, 2)):
            late_s = at_s + rng.uniform(0.05, 0.6)
            yield (
                late_s,
                "info",
                "nginx",
                host,
                access_line(
                    address, f"GET {asset}", 200, 900 + 311 * len(asset), f"https://shop.example{target}", agent
                ),
            )
        at_s += rng.expovariate(1 / 25.0) + 0.5
        referer = f"https://shop.example{target}"


def hash_of(text: str) -> int:
    """A small number that belongs to a text, the same in every process."""
    return sum((i + 1) * byte for i, byte in enumerate(text.encode()))


def _checks(rng: random.Random, span: Span) -> Iterator[Row]:
    for host in HOSTS:
        for at_s in ticks(rng, span, 60.0):
            yield (
                at_s,
                "info",
                "nginx",
                host,
                access_line("10.20.0.10", "GET /healthz", 200, 2, "-", "balancer-check/2.1"),
            )


def web(rng: random.Random, world: World) -> Iterator[Row]:
    """Some 13,000 requests a day on two machines."""
    for at_s in arrivals(rng, world.span, 1500, depth=0.8):
        index = min(int(rng.expovariate(1 / 150.0)), len(world.visitors) - 1)
        yield from _visit(rng, at_s, world.visitors[index], rng.choice(HOSTS))
    for at_s in arrivals(rng, world.span, 500, depth=0.1):
        page = rng.choice((*PAGES, "/robots.txt", "/sitemap.xml"))
        yield (
            at_s,
            "info",
            "nginx",
            rng.choice(HOSTS),
            access_line(f"100.65.1.{rng.randint(10, 25)}", f"GET {page}", 200, rng.randint(400, 60_000), "-", CRAWLER),
        )
    yield from _checks(rng, world.span)
