"""`sentinel spool` and `sentinel dead-letters` as a user has them, while somebody else holds the spool open."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from sentinel.spool import Spool
from tests.cli.cli_records import records

Command = Callable[..., Any]


@pytest.fixture
def filled(spool: Spool) -> Spool:
    """Ten records: 1 to 5 are settled, 2 and 3 of them dead; the rest waits while the store fails."""
    with spool.transaction() as tx:
        tx.append(records([f"text {n}" for n in range(1, 7)]))
        tx.append(records([f"text {n}\x1b[31m" for n in range(7, 11)], first=10, source="till"))
        tx.count_rejected({("127.0.0.1", "message is missing"): 3})
    with spool.lease("deliver") as lease, spool.transaction() as tx:
        assert lease is not None
        tx.move(lease, 5, dead={2: "400 mapping: field a", 3: "400 mapping: field b"})
        tx.postpone(lease, 2, 0.0, "429 busy")
        tx.put_blob("failing-deliver", b'{"since_s": 1795000000.0}')
    return spool


def test_list_shows_books_readers_and_reasons(sentinel_command: Command, filled: Spool) -> None:
    """One look tells how much of what is where, who fails since when, and why something was refused."""
    ran = sentinel_command("spool")
    told = orjson.loads(sentinel_command("spool", "list", "--json").out)

    for words in (
        "in all: received=13 rejected=3 accepted=10 delivered=3 waiting=5 dead=2",
        "rejected 3 of 127.0.0.1: message is missing",
        "reader deliver: at 5, 5 behind, failing since 2026-11-18T11:06:40",
        "dead letters: 2 dead: 400 mapping",
    ):
        assert words in ran.out
    assert told["ledger"]["waiting"] == 5
    assert [row["source"] for row in told["sources"]] == ["shop", "till", "127.0.0.1"]


@pytest.mark.parametrize(
    ("sequence", "code", "words"),
    [
        ("1", 0, ("delivered", "text 1")),
        ("2", 0, ("dead letter, dead: 400 mapping: field a", "text 2")),
        ("8", 0, ("waiting", "text 8\\x1b[31m", "till")),
        ("99", 1, ("not given yet, the last is 10",)),
        ("0", 1, ("never given",)),
    ],
)
def test_show_tells_a_record_and_its_fate(
    sentinel_command: Command, filled: Spool, sequence: str, code: int, words: tuple[str, ...]
) -> None:
    """The record in lines that no log can spoil, and what became of it; exit 1 where there is none."""
    ran = sentinel_command("spool", "show", sequence)

    assert ran.code == code
    assert [word for word in words if word not in ran.out] == []
    assert "\x1b" not in ran.out


def test_show_without_a_sequence_is_a_clear_error(sentinel_command: Command, filled: Spool) -> None:
    """It says what to type."""
    for command in (("spool", "show"), ("dead-letters", "show"), ("dead-letters", "drop"), ("dead-letters", "replay")):
        ran = sentinel_command(*command)

        assert ran.code == 2
        assert "name the sequence" in ran.err


def test_sequence_that_says_nothing_is_refused(sentinel_command: Command, filled: Spool) -> None:
    """A number that a command would not look at is not passed over."""
    for command in (("spool", "list", "5"), ("spool", "export", "5"), ("dead-letters", "list", "5")):
        ran = sentinel_command(*command)

        assert ran.code == 2
        assert "takes no sequence" in ran.err


def test_export_and_verify_read_while_others_write(sentinel_command: Command, filled: Spool) -> None:
    """Every record that is on disk, one a line, or those behind a sequence; a sound spool is called sound."""
    whole, rest = sentinel_command("spool", "export"), sentinel_command("spool", "export", "--after", "7")
    verified = sentinel_command("spool", "verify")

    assert [orjson.loads(line)["sequence"] for line in whole.out.splitlines()] == list(range(1, 11))
    assert [orjson.loads(line)["sequence"] for line in rest.out.splitlines()] == [8, 9, 10]
    assert (verified.code, verified.out) == (0, "nothing is wrong\n")


def test_damage_is_verified_and_repaired_once_nobody_has_it_open(
    sentinel_command: Command, home: Path, filled: Spool
) -> None:
    """repair refuses while the spool is open elsewhere; then it tells what was saved and where the old files are."""
    refused = sentinel_command("spool", "repair")
    filled.close()
    whole = sentinel_command("spool", "repair")
    file = home / "spool" / "spool.db"
    file.write_bytes(b"x" * 100 + file.read_bytes()[100:])
    broken = sentinel_command("spool", "list")
    mended = sentinel_command("spool", "repair")
    after = sentinel_command("spool", "list")

    assert (refused.code, "stop them first" in refused.err) == (2, True)
    assert "nothing to repair" in whole.out
    assert "sentinel spool repair" in broken.err
    assert (mended.code, "0 accepted records are lost" in mended.out, "are kept in" in mended.out) == (0, True, True)
    assert "accepted=10 delivered=3 waiting=5 dead=2" in after.out


def test_repair_of_no_spool_makes_none(sentinel_command: Command, home: Path) -> None:
    """A wrong LOG_SENTINEL_HOME is said, not filled."""
    ran = sentinel_command("spool", "repair")

    assert (ran.code, "LOG_SENTINEL_HOME" in ran.err, home.exists()) == (2, True, False)


def test_dead_letters_are_listed_with_reasons(sentinel_command: Command, filled: Spool) -> None:
    """A row each, and how many there are of each reason; where there are more than shown, how to see them."""
    table, page = sentinel_command("dead-letters"), sentinel_command("dead-letters", "list", "--limit", "1")
    rows = [orjson.loads(line) for line in sentinel_command("dead-letters", "list", "--json").out.splitlines()]
    none = sentinel_command("dead-letters", "list", "--stream", "anomalies")

    assert "400 mapping: field a" in table.out
    assert "2 dead: 400 mapping" in table.out
    assert "--after 2" in page.out
    assert [(row["sequence"], row["state"]) for row in rows] == [(2, "dead"), (3, "dead")]
    assert "no dead letters among the anomalies" in none.out


def test_dead_letter_is_shown_with_its_record(sentinel_command: Command, filled: Spool) -> None:
    """Reason, attempts and content; a sequence that is none says so with exit code 1."""
    ran = sentinel_command("dead-letters", "show", "3", "4")

    assert ran.code == 1
    assert "400 mapping: field b" in ran.out
    assert "text 3" in ran.out
    assert "events 4 is no dead letter" in ran.out


def test_letters_are_replayed_and_dropped_and_nothing_else_is_touched(sentinel_command: Command, filled: Spool) -> None:
    """What was named and is not dead is left alone and said; the books follow."""
    replayed = sentinel_command("dead-letters", "replay", "2", "9")
    again = sentinel_command("dead-letters", "replay", "2")
    dropped = sentinel_command("dead-letters", "drop", "--all")

    ledger = filled.ledger()
    assert (replayed.code, again.code, dropped.code) == (1, 1, 0)
    assert "replayed 1 dead letter:" in replayed.out
    assert "left 9 alone: it is no dead letter" in replayed.out
    assert "left 2 alone: it is waiting" in again.out
    assert "dropped 1 dead letter:" in dropped.out
    assert (ledger.waiting, ledger.dead, ledger.is_balanced) == (6, 1, True)


def test_status_tells_since_when_delivery_fails(
    sentinel_command: Command, filled: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of the first failure and its reason, in one line."""
    ran = sentinel_command("status")

    assert "reader deliver: at 5, 5 behind, failing since 2026-11-18 11:06:40 UTC: 429 busy" in ran.out


def test_history_of_files_needs_an_elasticsearch(sentinel_command: Command, home: Path) -> None:
    """`load --from-parquet` says what it needs; without files it says where it looked."""
    nothing = sentinel_command("load", "--from-parquet")
    (home / "store" / "events").mkdir(parents=True)
    files = sentinel_command("load", "--from-parquet")
    named = sentinel_command("load", "--from-parquet", str(home / "nowhere"))

    assert "no folder events/" in nothing.err
    assert "set ELASTIC_ADDR" in files.err
    assert "nowhere" in named.err
    assert {nothing.code, files.code, named.code} == {2}


@pytest.mark.parametrize("number", ["-3", "99999999999999999999999", "x"])
def test_what_is_no_number_of_a_record_is_refused(
    sentinel_command: Callable[..., Any], spool: Spool, number: str
) -> None:
    """By the parser of arguments, with a sentence."""
    ran = sentinel_command("spool", "show", "--", number)

    assert ran.code == 2
    assert "invalid record_number value" in ran.err
