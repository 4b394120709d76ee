"""Who there is in the small fleet: people with their addresses, visitors. No address is a real one."""

import random
from dataclasses import dataclass

from sentinel.simulate.clock import Span, dice

__all__ = ["Person", "World", "make_world", "outsider"]

FIRST_NAMES = (
    "amara", "bruno", "chiara", "dmitri", "elif", "farid", "greta", "hiro", "ines", "jonas", "kavya", "leon",
    "mirela", "nils", "oksana", "pablo", "qiang", "rosa", "samir", "tilda", "umut", "vera", "wanda", "yusuf",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who logs in, and from where: the office first, then home."""

    name: str
    addresses: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class World:
    """One fleet over one span; `released_s` is when the applications' next version goes live (never: infinity)."""

    span: Span
    people: tuple[Person, ...]
    visitors: tuple[str, ...]
    released_s: float = float("inf")

    def is_new(self, at_s: float) -> bool:
        """Does the next version of the applications run at this moment?"""
        return at_s >= self.released_s


def _fingerprint(rng: random.Random) -> str:
    return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", k=43))


def make_world(seed: int, span: Span, *, released_s: float = float("inf")) -> World:
    """Draw the people and the visitors of a fleet."""
    rng = dice(seed, "world")
    names = rng.sample(FIRST_NAMES, 12)
    people = tuple(
        Person(name, (f"10.20.{rng.randint(0, 7)}.{rng.randint(2, 250)}", f"100.64.{i}.{rng.randint(2, 250)}"),
               _fingerprint(rng))
        for i, name in enumerate(names)
    )  # fmt: skip
    visitors = tuple(f"100.{rng.randint(66, 127)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}" for _ in range(600))
    return World(span, people, visitors, released_s)


def outsider(rng: random.Random) -> str:
    """An address from outside that nobody of the fleet has (198.18.0.0/15, reserved for tests by RFC 2544)."""
    return f"198.{rng.choice((18, 19))}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"
