"""The vote of each followed file: what its lines are written in, how sure that is, and when that became another."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.errors import TransientError
from sentinel.pipeline.collect import collect
from sentinel.pipeline.collector import Collector
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.votes import BLOCK, BLOCKS, FREE_TEXT, MAX_FILES, MAX_KNOWN, Votes, read_votes
from tests.pipeline.conftest import Clock

PATH = "/logs/a.log"
ACCESS = '198.51.100.{n} - - [02/Mar/2026:07:{n:02d}:00 +0000] "GET /cart/{n} HTTP/1.1" 200 {n}12 "-" "curl/8.5"'
JSON = '{{"time":"2026-03-02T07:{n:02d}:00Z","level":"info","msg":"cart {n} served","status":200}}'
PLAIN = "cart number {n} was served to its owner"
LOGFMT = 'time=2026-03-02T07:{n:02d}:00Z level=info msg="cart {n} served" took=1{n}ms'


def cast(votes: Votes, names: list[str], path: str = PATH) -> list[str]:
    found = votes.count(pl.Series([path] * len(names), dtype=pl.String), pl.Series(names, dtype=pl.String), 1.0)
    return [change.format for change in found]


def write(path: Path, layout: str, count: int) -> None:
    with path.open("a") as file:
        file.writelines(layout.format(n=n % 60) + "\n" for n in range(count))


def test_first_block_votes() -> None:
    """Its most frequent format, with the share of it as confidence; the few events before that lead."""
    votes = Votes()
    cast(votes, ["json"] * 30 + ["logfmt"] * 10)
    early = votes.by_path[PATH].leading()
    changes = cast(votes, ["logfmt"] * 20 + ["json"] * 40)

    assert early == ("json", 0.75)
    assert votes.by_path[PATH].leading() == ("json", 0.7)
    assert changes == []


@pytest.mark.parametrize("before", [100, 137, 1_000, 1_099])
def test_new_format_is_voted_for_within_some_blocks(before: int) -> None:
    """And said once: three blocks after the change at the latest."""
    votes = Votes()
    cast(votes, ["combined"] * before)
    changes = [cast(votes, ["json"]) for _ in range((BLOCKS + 1) * BLOCK)]

    assert [change for change in changes if change] == [["json"]]
    assert (votes.by_path[PATH].format, votes.by_path[PATH].before) == ("json", "combined")


def test_short_burst_is_no_change() -> None:
    """A trace, a dump or a banner of less than two blocks."""
    votes = Votes()

    changes = cast(votes, (["json"] * 500 + [FREE_TEXT] * (BLOCK - 1)) * 20)

    assert changes == []
    assert votes.by_path[PATH].format == "json"


@pytest.mark.parametrize("run", [1, 7, 50, 99, 100, 101, 250, 1_000, 5_000])
def test_file_with_two_formats_does_not_go_on_about_it(run: int) -> None:
    """However long their turns are: each of its formats is news once."""
    votes = Votes()

    changes = cast(votes, (["json"] * run + ["klog"] * run) * (40_000 // run))

    assert changes in ([], ["klog"])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([f"f{n}" for n in range(12)]), st.integers(1, 400)), max_size=60))
def test_changes_of_a_file_are_few(runs: list[tuple[str, int]]) -> None:
    """Whatever it holds, fewer are said than formats are kept, and none twice."""
    votes = Votes()
    changes = [name for run, count in runs for name in cast(votes, [run] * count)]

    assert len(changes) == len(set(changes)) < MAX_KNOWN


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["json", "klog", "text"])), max_size=700),
    st.lists(st.integers(1, 200), min_size=1, max_size=40),
)
def test_vote_does_not_hang_on_batches_or_restarts(events: list[tuple[str, str]], sizes: list[int]) -> None:
    """All at once, and in pieces of any size with a restart between them."""
    whole, kept, at, pieces = Votes(), Votes(), 0, list[str]()
    frame = pl.DataFrame(events, schema={"path": pl.String, "format": pl.String}, orient="row")
    at_once = {str(change) for change in whole.count(frame["path"], frame["format"], 1.0)}
    while at < len(events):
        size = sizes[at % len(sizes)]
        part = frame.slice(at, size)
        pieces += map(str, kept.count(part["path"], part["format"], 1.0))
        kept, at = Votes(_saved(kept)), at + size

    assert set(pieces) == at_once
    assert kept.by_path == whole.by_path


def _saved(votes: Votes) -> bytes:
    class Keeps:
        content = b""

        def put_blob(self, name: str, content: bytes) -> None:
            self.content = content

    keeps = Keeps()
    votes.save(keeps)  # type: ignore[arg-type]
    return keeps.content


def test_files_that_are_over_do_not_vote() -> None:
    """Archives and rotated files are read at any time: what they were written in is no news. Old votes give way."""
    votes = Votes()
    for path in ("/logs/a.log.1", "/logs/a.log.2.gz"):
        cast(votes, ["json"], path)
    assert votes.by_path == {}

    for number in range(MAX_FILES + 3):
        cast(votes, ["json"], f"/logs/{number}.log")
    assert next(iter(votes.by_path)) == "/logs/3.log"
    assert len(votes.by_path) == MAX_FILES


@pytest.mark.parametrize(("old", "new", "news"), [(ACCESS, JSON, "json"), (PLAIN, LOGFMT, "logfmt")])
def test_upgrade_that_changes_the_format_is_said_once(
    open_home: Callable[[], Sentinel], clock: Clock, old: str, new: str, news: str
) -> None:
    """By the run that reads it, over restarts and a rotation; each line is read by what it is, none is read again."""
    notes = []
    for layout in (old, old, new, new, new):
        home = open_home()
        file = home.home / "in" / "app.log"
        if layout == new and not file.with_name("app.log.1").exists():
            file.rename(file.with_name("app.log.1"))
        write(file, layout, 120)
        report = collect(home, clock=clock, sleep=clock.sleep)
        notes += [note for note in report.notes if "its lines were" in note]
        vote = read_votes(home.spool).by_path[str(file)]
        accepted = home.spool.ledger().accepted
        home.spool.close()

    assert notes == [f"{file}: its lines were {vote.before}, and are {news} now (100%)"]
    assert (vote.format, vote.confidence) == (news, 1.0)
    assert accepted == 600


def test_failing_commit_counts_nothing(sentinel: Sentinel, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read again is counted once."""
    file = sentinel.home / "in" / "app.log"
    write(file, PLAIN, 30)
    with Collector(sentinel.spool, sentinel.watched, period="month", clock=clock) as collector:
        with monkeypatch.context() as patch:
            patch.setattr(Votes, "save", _refuse)
            with pytest.raises(TransientError):
                collector.round(wait_s=1)
        collector.round(wait_s=1)

    assert read_votes(sentinel.spool).by_path[str(file)].counted == {FREE_TEXT: 30}


@pytest.mark.parametrize("kept", [b'{"/logs/a.log":["json",0.9,1.0,["json"]]}', b"no JSON", b"[]"])
def test_votes_of_another_form_stop_nothing(sentinel: Sentinel, clock: Clock, kept: bytes) -> None:
    """What another version kept, and this one cannot read: the files are read, and vote anew."""
    with sentinel.spool.transaction() as tx:
        tx.put_blob("formats", kept)
    file = sentinel.home / "in" / "app.log"
    write(file, PLAIN, 120)

    collect(sentinel, clock=clock)

    assert sentinel.spool.ledger().accepted == 120
    assert read_votes(sentinel.spool).by_path[str(file)].format == FREE_TEXT


def _refuse(votes: Votes, tx: object) -> None:
    raise TransientError("the disk")
