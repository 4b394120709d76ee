"""The services of the small fleet, by name: each takes dice and a world and gives the lines of a normal life."""

import random
from collections.abc import Callable, Iterator

from sentinel.simulate.clock import Row
from sentinel.simulate.services.apps import orders, thumbnails
from sentinel.simulate.services.data import broker, database
from sentinel.simulate.services.hosts import cron, heartbeats, ssh, sudo, system
from sentinel.simulate.services.jobs import jobs
from sentinel.simulate.services.web import web
from sentinel.simulate.world import World

__all__ = ["SERVICES", "Service"]

Service = Callable[[random.Random, World], Iterator[Row]]

SERVICES: dict[str, Service] = {
    "web": web,
    "ssh": ssh,
    "sudo": sudo,
    "cron": cron,
    "system": system,
    "heartbeats": heartbeats,
    "orders": orders,
    "thumbnails": thumbnails,
    "database": database,
    "broker": broker,
    "jobs": jobs,
}
