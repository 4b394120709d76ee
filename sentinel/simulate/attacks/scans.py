"""Scans: many ports of one machine within seconds, many odd requests to one site within a minute."""

import random
from urllib.parse import quote

from sentinel.simulate.attacks.attack import Attack
from sentinel.simulate.attacks.stage import STAGE_HOST, Stage, choose
from sentinel.simulate.clock import Row, Span
from sentinel.simulate.wordings import Wording, read_list, read_wordings
from sentinel.simulate.world import outsider

__all__ = ["PORTS", "port_row", "port_scan", "request_row", "web_scan"]

PORTS = (
    21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 389, 443, 445, 465, 587, 631, 993, 995, 1080, 1433, 1521, 1723,
    2049, 2375, 3000, 3128, 3306, 3389, 4444, 5000, 5060, 5432, 5601, 5900, 5985, 6379, 6443, 7001, 8000, 8080, 8081,
    8443, 8888, 9000, 9090, 9092, 9200, 9300, 10000, 11211, 15672, 27017, 50000,
)  # fmt: skip
SCANNERS = ("Mozilla/5.0 (compatible; sweepr/0.9)", "python-requests/2.32.3", "Go-http-client/1.1", "curl/8.9.1", "-",
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")  # fmt: skip
PLACES = ("/shop", "/search", "/item", "/login")


def port_scan(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """Forty or more ports of one machine, seven a second."""
    wording, ip = choose(rng, stage.familiar.ports, read_wordings("port_scans")), outsider(rng)
    rows: list[Row] = []
    moment_s = at_s
    for port in rng.sample(PORTS, rng.randint(40, len(PORTS))):
        rows.append(port_row(rng, moment_s, wording, ip=ip, port=port))
        moment_s += rng.expovariate(7.0)
    return Attack("port_scan", wording.name, ip, wording.source, Span(at_s, rows[-1][0]), tuple(rows))


def port_row(rng: random.Random, at_s: float, wording: Wording, *, ip: str, port: int) -> Row:
    """One connection that was refused."""
    message = wording.texts[0].format(ip=ip, port=port, spt=rng.randint(32_768, 60_999), n=rng.randint(1, 9999))
    return at_s, wording.level, wording.source, STAGE_HOST, message


def web_scan(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """Forty to a hundred probes and injections of one address, two a second."""
    wording, ip = choose(rng, stage.familiar.requests, read_wordings("web_requests")), outsider(rng)
    agent, share = rng.choice(SCANNERS), rng.choice((0.1, 0.5, 0.9))
    rows: list[Row] = []
    moment_s = at_s
    for _ in range(rng.randint(40, 100)):
        target, status = _request(rng, share)
        rows.append(request_row(rng, moment_s, wording, target=target, status=status, ip=ip, agent=agent))
        moment_s += rng.expovariate(2.0)
    return Attack("web_scan", wording.name, ip, wording.source, Span(at_s, rows[-1][0]), tuple(rows))


def _request(rng: random.Random, injections: float) -> tuple[str, int]:
    """A target and the status it gets; `injections` is their share, the others are probes for files."""
    if rng.random() < injections:
        payload = quote(rng.choice(read_list("web_injections")), safe="'();")
        return f"{rng.choice(PLACES)}?id={payload}", rng.choice((200, 400, 403, 500))
    return rng.choice(read_list("web_probes")), rng.choice((404, 404, 404, 403))


def request_row(
    rng: random.Random, at_s: float, wording: Wording, *, target: str, status: int, ip: str, agent: str
) -> Row:
    """One request to a site; the level follows from its status."""
    path, _, query = target.partition("?")
    method = rng.choice(("GET", "GET", "GET", "POST", "HEAD"))
    numbers = {"size": rng.randint(150, 900), "n": rng.randint(1, 90), "spt": rng.randint(32_768, 60_999)}
    words = {"target": target, "path": path, "query": query or "-", "quoted": quote(target), "method": method}
    message = wording.texts[0].format(ip=ip, agent=agent, status=status, **words, **numbers)
    level = "error" if status >= 500 else "warn" if status >= 400 else "info"
    return at_s, level, wording.source, STAGE_HOST, message
