"""Two applications of our own: a Java-like order service and a Python worker, each in an old and a new version."""

import random
from collections.abc import Iterator

from sentinel.simulate.clock import Row, arrivals, ticks
from sentinel.simulate.world import World

__all__ = ["orders", "thumbnails"]

ORDER_STEPS = (
    ("c.l.orders.OrderController", "Order {order} received: {items} items, customer {customer}"),
    ("c.l.orders.StockService", "Reserved {items} items for order {order} in warehouse {warehouse}"),
    ("c.l.orders.PaymentClient", "Payment for order {order} authorised in {ms} ms, amount {cents} cents"),
    ("c.l.orders.OrderService", "Order {order} confirmed after {total} ms"),
)
ORDER_STEPS_NEXT = (
    ("c.l.checkout.Gateway", "accepted basket id={order} lines={items} shopper={customer}"),
    ("c.l.checkout.Gateway", "validated basket id={order} rules=17 outcome=ok"),
    ("c.l.checkout.Inventory", "hold placed basket={order} site={warehouse} units={items} ttl=900s"),
    ("c.l.checkout.Ledger", "charge settled basket={order} minor_units={cents} took={ms}ms"),
    ("c.l.checkout.Gateway", "basket id={order} state=PLACED elapsed={total}ms"),
    ("c.l.checkout.Events", "published order.placed.v2 key={order} partition={warehouse}"),
)


def orders(rng: random.Random, world: World) -> Iterator[Row]:
    """Orders in four steps each (six in the next version), caches, pauses of the collector, now and then a failure."""
    for at_s in arrivals(rng, world.span, 1700, depth=0.8):
        yield from _order(rng, at_s, is_new=world.is_new(at_s))
    for at_s in ticks(rng, world.span, 300.0, jitter_s=2.0):
        text = f"Refreshed price cache: {rng.randint(1890, 1960)} entries in {rng.randint(40, 95)} ms"
        if world.is_new(at_s):
            text = f"catalogue snapshot swapped entries={rng.randint(1890, 1960)} took={rng.randint(40, 95)}ms"
        yield at_s, "info", "c.l.orders.PriceCache", "app-1", text
    for at_s in arrivals(rng, world.span, 220, depth=0.5):
        text = f"GC pause (young) {rng.randint(280, 420)}M->{rng.randint(90, 160)}M {rng.uniform(3, 28):.1f} ms"
        yield at_s, "debug", "c.l.orders.Runtime", "app-1", text


def _order(rng: random.Random, at_s: float, *, is_new: bool) -> Iterator[Row]:
    order, ms = rng.randint(10_000_000, 99_999_999), int(rng.lognormvariate(4.6, 0.35))
    fields = {"order": order, "items": 1 + int(rng.expovariate(0.7)), "customer": f"c-{rng.randint(1, 4000):05d}",
              "warehouse": rng.choice(("north", "south", "quay")), "ms": ms, "cents": rng.randint(900, 49_000),
              "total": ms + rng.randint(30, 90)}  # fmt: skip
    for number, (logger, text) in enumerate(ORDER_STEPS_NEXT if is_new else ORDER_STEPS):
        yield at_s, "info", logger, "app-1", text.format(**fields)
        if number == 1 and rng.random() < 0.012:
            yield from _trouble(rng, at_s + 0.2, order)
            return
        at_s += rng.uniform(0.01, 0.2)


def _trouble(rng: random.Random, at_s: float, order: int) -> Iterator[Row]:
    kind = rng.random()
    if kind < 0.75:
        text = f"Payment for order {order} declined by issuer, code {rng.choice((51, 54, 61))}"
        yield at_s, "warn", "c.l.orders.PaymentClient", "app-1", text
        return
    slow = f"Payment provider did not answer within 3000 ms for order {order}, attempt 1 of 3"
    yield at_s + 3.0, "warn", "c.l.orders.PaymentClient", "app-1", slow
    if kind < 0.95:
        done = f"Payment for order {order} authorised in {rng.randint(3100, 3600)} ms, amount {order % 40_000} cents"
        yield at_s + 3.6, "info", "c.l.orders.PaymentClient", "app-1", done
    else:
        failed = f"Order {order} failed: java.net.SocketTimeoutException: Read timed out"
        yield at_s + 9.0, "error", "c.l.orders.OrderService", "app-1", failed


def thumbnails(rng: random.Random, world: World) -> Iterator[Row]:
    """Jobs of a Python worker, two lines each (three in the next version), and its own sign of life."""
    for at_s in arrivals(rng, world.span, 1900, depth=0.6):
        yield from _job(rng, at_s, is_new=world.is_new(at_s))
    for at_s in ticks(rng, world.span, 60.0, jitter_s=0.5):
        text = f"worker alive: {rng.randint(0, 4)} of 4 slots busy, queue depth {rng.randint(0, 9)}"
        if world.is_new(at_s):
            text = f"pool status slots=4 busy={rng.randint(0, 4)} backlog={rng.randint(0, 9)} scaler=idle"
        yield at_s, "info", "thumbnails.worker", "app-1", text


def _job(rng: random.Random, at_s: float, *, is_new: bool) -> Iterator[Row]:
    job, took_ms = f"{rng.getrandbits(48):012x}", int(rng.lognormvariate(5.5, 0.4))
    end_s = at_s + took_ms / 1000
    size = f"{rng.choice((160, 320, 640))}x{rng.choice((120, 240, 480))}"
    if is_new:
        yield at_s, "info", "imaging.pipeline", "app-1", f"task={job} stage=fetch profile={size}"
        yield end_s - 0.01, "info", "imaging.pipeline", "app-1", f"task={job} stage=encode codec=avif"
        yield end_s, "info", "imaging.pipeline", "app-1", f"task={job} stage=done wall_ms={took_ms}"
        return
    yield at_s, "info", "thumbnails.jobs", "app-1", f"job {job} started: resize to {size}"
    if rng.random() < 0.004:
        yield end_s, "error", "thumbnails.jobs", "app-1", f"job {job} failed: OSError: image file is truncated"
        yield end_s + 5, "info", "thumbnails.jobs", "app-1", f"job {job} put back, attempt 2"
        return
    yield end_s, "info", "thumbnails.jobs", "app-1", f"job {job} finished in {took_ms} ms"
