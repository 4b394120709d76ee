"""What bodies become when they are decoded is bounded over all requests; small ones wait for nobody."""

import asyncio
import contextlib
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sentinel.parse import decode_body, decoded_bytes
from sentinel.settings import Settings
from serving.app import create_app
from serving.assemble import open_parts, put_away
from serving.bodies import BIGGEST_ROOM_BYTES, FREE_BYTES, MIDDLING_BYTES, MIDDLING_ROOM_BYTES, BodyBudget
from serving.parts import Parts
from serving.turns import Turns

MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}


async def test_bytes_in_use_never_pass_the_bound() -> None:
    """Whoever comes, stays and gives up at random: never more than the bound at once, and in the end all is free."""
    turns, rng, most, done = Turns(100), random.Random(7), 0, 0

    async def one(wanted: int, steps: int) -> None:
        nonlocal most, done
        taken = await turns.take(wanted)
        try:
            most = max(most, turns.used_bytes)
            for _ in range(steps):
                await asyncio.sleep(0)
            done += 1
        finally:
            turns.give_back(taken)

    tasks = [asyncio.create_task(one(rng.choice((1, 30, 60, 100, 5_000)), rng.randrange(5))) for _ in range(500)]
    for task in rng.sample(tasks, 200):
        await asyncio.sleep(0)
        task.cancel()
    gone = [answer for answer in await asyncio.gather(*tasks, return_exceptions=True) if answer is not None]

    assert 60 <= most <= 100
    assert done + len(gone) == 500
    assert (turns.used_bytes, turns.waiting) == (0, 0)


async def test_turns_are_given_in_the_order_of_asking() -> None:
    """A big one that waits is not passed by the small ones that come after it."""
    turns, order = Turns(100), list[int]()

    async def one(wanted: int) -> None:
        taken = await turns.take(wanted)
        order.append(wanted)
        await asyncio.sleep(0)
        turns.give_back(taken)

    await asyncio.gather(*(one(wanted) for wanted in (60, 100, 10, 20, 30)))

    assert order == [60, 100, 10, 20, 30]


async def test_who_gives_up_is_in_nobody_s_way() -> None:
    """The one that waits first leaves: those behind it that fit are let in at once."""
    turns = Turns(100)
    held = await turns.take(60)
    first, second = asyncio.create_task(turns.take(100)), asyncio.create_task(turns.take(40))
    await asyncio.sleep(0)
    assert turns.waiting == 2

    first.cancel()

    assert await second == 40
    turns.give_back(held)
    turns.give_back(40)
    assert (turns.used_bytes, turns.waiting) == (0, 0)


async def test_small_body_waits_for_nobody() -> None:
    """With both rooms full a small body is decoded at once; each size has its room."""
    budget = BodyBudget(MIB)
    with contextlib.ExitStack() as stack:
        for size in (MIDDLING_BYTES,) * (MIDDLING_ROOM_BYTES // MIDDLING_BYTES) + (10 * BIGGEST_ROOM_BYTES,):
            await stack.enter_context(budget.hold()).turn(size)
        assert (budget.middling.used_bytes, budget.biggest.used_bytes) == (MIDDLING_ROOM_BYTES, BIGGEST_ROOM_BYTES)

        await stack.enter_context(budget.hold()).turn(FREE_BYTES)

    assert (budget.middling.used_bytes, budget.biggest.used_bytes) == (0, 0)


@pytest.mark.parametrize(
    "piece", [b"{},", b"[],", b'"a",', b"1.5,", b'{"":0},', b'{"message":"x","source":"a"},', b'[{"a":[[]]}],']
)
def test_values_need_no_more_memory_than_they_are_weighed(piece: bytes) -> None:
    """What decoding allocates, counted, is less than what it is taken for."""
    raw = b"[" + piece * (MIB // len(piece)) + b"{}]"
    tracemalloc.start()
    body = decode_body(raw, "application/json")
    needed = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert body.documents
    assert needed <= decoded_bytes(raw)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    found = open_parts(Settings(log_sentinel_home=tmp_path / "home", log_sentinel_min_free_mb=1))
    yield found
    put_away(found)


async def test_big_bodies_are_decoded_one_after_the_other(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight of the biggest at once, two of which are given up: never two are there decoded, small ones go on, and all
    is free in the end."""
    at_once = [0]
    may_go = asyncio.Event()
    take, give_back = Turns.take, Turns.give_back

    async def taken(turns: Turns, n_bytes: int) -> int:
        got = await take(turns, n_bytes)
        at_once.append(at_once[-1] + 1)
        try:
            await may_go.wait()
        except asyncio.CancelledError:
            turns.give_back(got)
            raise
        return got

    def given_back(turns: Turns, n_bytes: int) -> None:
        at_once.append(at_once[-1] - 1)
        give_back(turns, n_bytes)

    monkeypatch.setattr(Turns, "take", taken)
    monkeypatch.setattr(Turns, "give_back", given_back)
    big = b"[" + b'{"":0},' * 190_000 + b'{"message":"x"}]'
    assert decoded_bytes(big) > BIGGEST_ROOM_BYTES // 2
    transport = httpx.ASGITransport(create_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=None) as client:
        sent = [asyncio.create_task(client.post("/logs", content=big, headers=JSON)) for _ in range(8)]
        while parts.budget.biggest.waiting < 7:
            await asyncio.sleep(0.01)
        small = [(await client.post("/logs", json={"message": "x"})).status_code for _ in range(20)]
        for leaving in (sent[2], sent[5]):
            leaving.cancel()
        may_go.set()
        answers = await asyncio.gather(*sent)

    assert small == [202] * 20
    assert max(at_once) == 1
    assert [answer.status_code for answer in answers] == [202, 202, 503, 202, 202, 503, 202, 202]
    assert (parts.budget.biggest.used_bytes, parts.budget.biggest.waiting, parts.budget.used_bytes) == (0, 0, 0)
