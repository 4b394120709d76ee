"""R14: one Idempotency-Key accepted twice, four ways there; every acknowledged content is in the store, once, or dead.

Judged by content, never by id: two records that share an id are one document, and one of them is lost.
"""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson

from sentinel.parse import decode_body
from sentinel.pipeline.batch import Answer, Submission
from sentinel.pipeline.deliver import deliver_round
from sentinel.pipeline.ingest import Intake, KeyReusedError
from sentinel.records import EVENTS
from sentinel.spool import Spool
from sentinel.store import open_store
from tests.faults.fake_control import FakeElastic

__all__ = ["WAYS", "run_way"]

INDEX = "keys"
CLIENT = "127.0.0.1"
START_S = 1_790_000_000.0
DAY_S = 86_400.0
RACES = 20
OTHER_KEYS = 100_001


class Clients:
    """Sends bodies to intakes of one moment, and knows which messages were acknowledged."""

    def __init__(self) -> None:
        self.now_s = START_S
        self.acknowledged = Counter[str]()
        self.refused = 0
        self._numbers = itertools.count()

    @contextmanager
    def intake(self, folder: Path) -> Iterator[Intake]:
        """A server on the home `folder`."""
        with Spool.open(folder / "spool", min_free_bytes=1) as spool:
            intake = Intake(spool, period="month", clock=lambda: self.now_s)
            try:
                yield intake
            finally:
                intake.close()

    def send(self, intake: Intake, key: str, messages: list[str]) -> "Future[Answer]":
        """Offer a body of these messages; `settle` waits for its answer."""
        body = orjson.dumps([{"message": message} for message in messages])
        return intake.submit(Submission(decode_body(body, None), CLIENT, key, str(messages), len(body)))

    def settle(self, future: "Future[Answer]", messages: list[str]) -> None:
        """Note what was acknowledged; 422 is the one refusal that a key may meet."""
        try:
            if future.result(60).span is not None:
                self.acknowledged.update(messages)
        except KeyReusedError:
            self.refused += 1

    def messages(self, count: int) -> list[str]:
        """Messages that nobody has sent yet."""
        return [f"content {next(self._numbers)}" for _ in range(count)]

    def post(self, intake: Intake, key: str, count: int) -> list[str]:
        """Send a body of new messages and wait."""
        messages = self.messages(count)
        self.settle(self.send(intake, key, messages), messages)
        return messages


def after_its_day(clients: Clients, folder: Path) -> list[Path]:
    """The key again, with another and longer body, when its answer may be forgotten."""
    with clients.intake(folder / "home") as intake:
        clients.post(intake, "k", 2)
        clients.now_s += DAY_S + 1
        clients.post(intake, "k", 3)
    return [folder / "home"]


def after_many_others(clients: Clients, folder: Path) -> list[Path]:
    """Within the day, after more keys than anybody would keep a list of."""
    with clients.intake(folder / "home") as intake:
        clients.post(intake, "k", 2)
        with Spool.open(folder / "home" / "spool", min_free_bytes=1) as spool, spool.transaction() as tx:
            for number in range(OTHER_KEYS):
                tx.remember_answer(CLIENT, str(number), "d", b"", clients.now_s)
        clients.post(intake, "k", 3)
    if clients.refused != 1:
        raise AssertionError(f"{clients.refused} of 1 second bodies were refused")
    return [folder / "home"]


def at_another_home(clients: Clients, folder: Path) -> list[Path]:
    """The same key at a server whose home is another one, or a fresh one, on the same index."""
    homes = [folder / "one", folder / "two"]
    for home in homes:
        with clients.intake(home) as intake:
            clients.post(intake, "k", 2)
    return homes


def at_two_servers(clients: Clients, folder: Path) -> list[Path]:
    """One key with two bodies at two servers of one home, at the same moment."""
    with ExitStack() as stack:
        intakes = [stack.enter_context(clients.intake(folder / "home")) for _ in range(2)]
        for race in range(RACES):
            bodies = [clients.messages(5 + 20 * server) for server in range(2)]
            gate, sent = threading.Barrier(2), list[tuple[Future[Answer], list[str]]]()

            def run(server: int, key: str = f"k{race}", bodies: list[list[str]] = bodies) -> None:
                gate.wait()  # noqa: B023 the threads end before the next race
                sent.append((clients.send(intakes[server], key, bodies[server]), bodies[server]))  # noqa: B023 as above

            threads = [threading.Thread(target=run, args=(server,)) for server in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for future, messages in sent:
                clients.settle(future, messages)
    if clients.refused != RACES:
        raise AssertionError(f"{clients.refused} of {RACES} second bodies were refused")
    return [folder / "home"]


WAYS: dict[str, Callable[[Clients, Path], list[Path]]] = {
    "after its day": after_its_day,
    "after many others": after_many_others,
    "at another home": at_another_home,
    "at two servers": at_two_servers,
}


def run_way(name: str, fake: FakeElastic, folder: Path) -> list[str]:
    """Go one way there, deliver everything, and say what is wrong in the end."""
    fake.forget()
    clients = Clients()
    try:
        homes = WAYS[name](clients, folder)
    except AssertionError as exc:
        return [str(exc)]
    dead = Counter[str]()
    for home in homes:
        dead += _deliver(home, fake)
    stored = Counter(str(row[2]) for row in fake.dump() if "-events-" in str(row[0]))
    found = stored + dead
    lost = clients.acknowledged - found
    added = found - clients.acknowledged
    wrong = [f"{lost.total()} of {clients.acknowledged.total()} acknowledged are nowhere: {sorted(lost)[:3]}"]
    wrong = wrong if lost else []
    wrong += [f"{added.total()} are there that nobody was promised: {sorted(added)[:3]}"] if added else []
    return wrong + ([f"{dead.total()} are dead letters"] if dead else [])


def _deliver(home: Path, fake: FakeElastic) -> Counter[str]:
    """All that waits in a home's spool goes to the store; the messages of its dead letters."""
    with Spool.open(home / "spool", min_free_bytes=1) as spool:
        store = open_store(addr=fake.url, index=INDEX, folder=home)
        store.setup()
        try:
            while spool.position("deliver").sequence < spool.last_sequence(EVENTS):
                if error := deliver_round(spool, store, "deliver", now_s=START_S).error:
                    raise AssertionError(error)
        finally:
            store.close()
        letters = [spool.letter(EVENTS, letter.sequence) for letter in spool.dead_letters(EVENTS, limit=10**6)]
        return Counter(str(frame["message"][0]) for frame in letters if frame is not None)
