"""From raw files to explained incidents, with nothing set up and nothing kept."""

import gzip
import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sentinel.cli.scan import spark
from tests.cli.conftest import Ran

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
EVIL = "<script>alert(1)</script> \x1b[31mred"


def usual(count: int, first: int = 0) -> list[str]:
    lines = []
    for n in range(first, first + count):
        at = f"{START + timedelta(seconds=7 * n):%Y-%m-%dT%H:%M:%SZ}"
        lines.append(f"{at} INFO shop.orders order {n * 37 % 997} stored in {n % 9} ms")
        if n % 5 == 0:
            lines.append(f"{at} INFO shop.cart cart {n % 83} emptied")
    return lines


def attack(second: int, count: int = 60) -> list[str]:
    at = START + timedelta(seconds=second)
    return [
        f"{at + timedelta(seconds=n / 4):%Y-%m-%dT%H:%M:%SZ} WARN shop.auth Failed password for root"
        f" from 203.0.113.9 port {4000 + n}"
        for n in range(count)
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "shop.log"
    body = [
        *usual(800),
        *attack(7 * 800),
        f"{START + timedelta(seconds=5800):%Y-%m-%dT%H:%M:%SZ} FATAL shop.db ledger corrupt {EVIL}",
    ]
    path.write_text("\n".join([*body, *usual(200, 830)]) + "\n")
    return path


def test_attack_in_one_file_is_the_worst_incident(log: Path, sentinel_command: Callable[..., Ran], home: Path) -> None:
    """Learnt from the file itself: one incident with who, reasons, lines by file and number; nothing is kept."""
    ran = sentinel_command("scan", str(log), "--json")

    found = json.loads(ran.out)
    worst = found["incidents"][0]
    assert ran.code == 1
    assert (worst["kind"], worst["actors"]) == ("brute_force", ["203.0.113.9"])
    assert worst["lines"] > 40
    assert "from these files alone" in found["notes"][0]
    assert found["lines"] == 800 + 160 + 60 + 1 + 200 + 40
    assert not (home / "spool").exists()


def test_report_for_people_names_the_line_and_escapes_it(
    log: Path, sentinel_command: Callable[..., Ran], tmp_path: Path
) -> None:
    """Title, reasons, sparkline, file and line; no line of the log acts on the terminal or in the page."""
    page = tmp_path / "report.html"
    ran = sentinel_command("scan", str(log), "--html", str(page))

    html = page.read_text()
    assert "failed log-ins from 203.0.113.9" in ran.out
    assert f"{log}:" in ran.out
    assert "\x1b" not in ran.out
    assert "<script>alert" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert "default-src 'none'" in html


STEPS = ("accepted", "picked", "label printed", "loaded", "handed over")


def parcels(count: int, short: int | None = None) -> list[str]:
    """A session each 40 s; one that lacks all but its ends."""
    lines = []
    for parcel in range(count):
        at = START + timedelta(seconds=40 * parcel)
        said = (STEPS[0], STEPS[-1]) if parcel == short else STEPS
        lines += [
            f"{at + timedelta(seconds=n):%Y-%m-%dT%H:%M:%SZ} INFO shop.parcels Parcel {70_000 + parcel} {step}"
            for n, step in enumerate(said)
        ]
    return lines


def test_session_that_lacks_steps_is_told_with_the_line_it_ends_with(
    tmp_path: Path, sentinel_command: Callable[..., Ran]
) -> None:
    """A session as a whole stands in no line of the file: people and the page are told where it ends."""
    path, page = tmp_path / "parcels.log", tmp_path / "report.html"
    path.write_text("\n".join(parcels(400, short=300)) + "\n")

    ran = sentinel_command("scan", str(path), "--html", str(page))

    assert "is missing" in ran.out
    assert "until line 1502" in ran.out
    assert "until line 1502" in page.read_text()


def test_session_that_the_end_of_the_file_cuts_is_told_at_its_own_time(
    tmp_path: Path, sentinel_command: Callable[..., Ran]
) -> None:
    """What each half teaches has sessions that are open at its end; the other half is not charged with them."""
    path = tmp_path / "parcels.log"
    path.write_text("\n".join(parcels(400)[:-4]) + "\n")

    found = json.loads(sentinel_command("scan", str(path), "--json").out)

    times = [record["timestamp"] for incident in found["incidents"] for record in incident["sample"]]
    assert all(found["since"][:19] <= at[:19] <= found["until"][:19] for at in times)


@pytest.mark.parametrize("short", [60, 300])
def test_record_of_a_session_has_no_time_outside_of_the_file(
    short: int, tmp_path: Path, sentinel_command: Callable[..., Ran]
) -> None:
    """The half that is judged by later lessons has its clock put on for that; nothing of it stays in what is told."""
    path = tmp_path / "parcels.log"
    path.write_text("\n".join(parcels(400, short=short)) + "\n")

    found = json.loads(sentinel_command("scan", str(path), "--json").out)

    sessions = [record for i in found["incidents"] for record in i["sample"] if "as a whole" in record["message"]]
    assert sessions
    for record in sessions:
        assert record["received"][:19] == record["timestamp"][:19]
        assert found["since"][:19] <= record["received"][:19] <= found["until"][:19]


def test_quiet_file_has_nothing_grave_and_exit_code_0(tmp_path: Path, sentinel_command: Callable[..., Ran]) -> None:
    """What goes on as ever is no incident of severity high or critical."""
    path = tmp_path / "quiet.log"
    path.write_text("\n".join(usual(1_000)) + "\n")

    ran = sentinel_command("scan", str(path), "--json")

    assert ran.code == 0
    assert not [i for i in json.loads(ran.out)["incidents"] if i["severity"] in {"high", "critical"}]


def test_baseline_archive_and_standard_input(
    tmp_path: Path, sentinel_command: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good log in gzip teaches; lines from standard input are judged by it, however few they are."""
    good = tmp_path / "good.log.gz"
    good.write_bytes(gzip.compress("\n".join(usual(900)).encode()))
    lines = "\n".join([*usual(5, 2_000), *attack(14_100, 12)]).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))

    ran = sentinel_command("scan", "-", "--baseline", str(good), "--json")

    found = json.loads(ran.out)
    assert found["lines"] == 5 + 1 + 12
    assert found["incidents"][0]["actors"] == ["203.0.113.9"]
    assert "baseline alone" in found["notes"][-1]


@pytest.mark.parametrize("arguments", [("scan",), ("scan", "nowhere.log"), ("scan", "x", "--since", "soon")])
def test_wrong_use_is_exit_code_2(arguments: tuple[str, ...], sentinel_command: Callable[..., Ran]) -> None:
    """No file, none that can be read, or no time: a sentence and 2."""
    ran = sentinel_command(*arguments)

    assert ran.code == 2
    assert ran.err


def test_few_lines_say_that_they_are_few(tmp_path: Path, sentinel_command: Callable[..., Ran]) -> None:
    """Nothing can be learnt from a handful: no incident, and the way out."""
    path = tmp_path / "few.log"
    path.write_text("\n".join(usual(5)) + "\n")

    ran = sentinel_command("scan", str(path))

    assert ran.code == 0
    assert "--baseline" in ran.out


def test_sparkline_is_as_high_as_its_counts() -> None:
    """Nothing is the lowest bar, the most the highest."""
    assert spark(()) == ""
    assert spark((0, 0)) == "▁▁"
    assert spark((0, 50, 100)) == "▁▄█"
