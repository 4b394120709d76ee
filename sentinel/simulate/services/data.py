"""A database and a message broker: checkpoints, connections, slow statements, segments, consumers that come and go."""

import random
from collections.abc import Iterator

from sentinel.simulate.clock import Row, arrivals, ticks
from sentinel.simulate.world import World

__all__ = ["broker", "database"]


def database(rng: random.Random, world: World) -> Iterator[Row]:
    """Some 3,000 lines a day in PostgreSQL's words."""
    for at_s in ticks(rng, world.span, 300.0, jitter_s=3.0):
        buffers, write_s = rng.randint(40, 900), rng.uniform(4, 60)
        yield at_s, "info", "postgres", "db-1", "checkpoint starting: time"
        done = f"checkpoint complete: wrote {buffers} buffers ({buffers / 163.84:.1f}%); write={write_s:.3f} s"
        yield at_s + write_s, "info", "postgres", "db-1", done
    for at_s in arrivals(rng, world.span, 1100, depth=0.5):
        port, user = rng.randint(32_768, 60_999), rng.choice(("orders", "orders", "reports"))
        yield at_s, "info", "postgres", "db-1", f"connection received: host=10.20.0.22 port={port}"
        authorized = f"connection authorized: user={user} database=shop application_name={user}-pool"
        yield at_s + 0.01, "info", "postgres", "db-1", authorized
    for at_s in arrivals(rng, world.span, 160, depth=0.8):
        ms = 250 + rng.lognormvariate(5.0, 0.6)
        yield (
            at_s,
            "info",
            "postgres",
            "db-1",
            f"duration: {ms:.3f} ms  execute basket_of: customer {rng.randint(1, 4000)}",
        )
    for at_s in arrivals(rng, world.span, 60, depth=0.0):
        table = rng.choice(("baskets", "orders", "sessions", "prices"))
        text = f'automatic vacuum of table "shop.public.{table}": index scans: 1, pages: {rng.randint(1, 40)} removed'
        yield at_s, "info", "postgres", "db-1", text
    for at_s in arrivals(rng, world.span, 5, depth=0.3):
        text = f'duplicate key value violates unique constraint "basket_pk" key=({rng.randint(10_000, 99_999)})'
        yield at_s, "error", "postgres", "db-1", text
    for at_s in arrivals(rng, world.span, 4, depth=0.3):
        yield at_s, "error", "postgres", "db-1", "canceling statement due to user request"


def broker(rng: random.Random, world: World) -> Iterator[Row]:
    """Some 2,500 lines a day of a broker: connections, segments, a rebalance now and then."""
    offset = 48_000_000
    for at_s in arrivals(rng, world.span, 900, depth=0.5):
        client = f"10.20.0.{rng.randint(20, 26)}:{rng.randint(32_768, 60_999)}"
        yield at_s, "info", "broker.network", "app-1", f"accepted connection {client} (listener=internal)"
        closed_s = at_s + rng.expovariate(1 / 600.0)
        yield closed_s, "info", "broker.network", "app-1", f"closed connection {client} (client closed)"
    for at_s in arrivals(rng, world.span, 260, depth=0.6):
        offset += rng.randint(800, 9000)
        topic = f"{rng.choice(('orders', 'stock', 'mail'))}-{rng.randint(0, 5)}"
        text = f"[Log partition={topic}] Rolled new log segment at offset {offset} in {rng.randint(1, 9)} ms."
        yield at_s, "info", "broker.log", "app-1", text
    for at_s in arrivals(rng, world.span, 7, depth=0.2):
        group, generation = rng.choice(("mailer", "stock-sync")), rng.randint(10, 400)
        yield at_s, "info", "broker.group", "app-1", f"group {group} is rebalancing, generation {generation}"
        stable = f"group {group} stabilised with 3 members, generation {generation + 1}"
        yield at_s + rng.uniform(1, 6), "info", "broker.group", "app-1", stable
    for at_s in arrivals(rng, world.span, 6, depth=0.0):
        text = f"slow fsync of journal: {rng.randint(180, 420)} ms"
        yield at_s, "warn", "broker.log", "app-1", text
