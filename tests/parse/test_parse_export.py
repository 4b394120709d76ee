"""journald's export format: an entry is a record, whatever stands in its fields."""

from collections.abc import Callable
from typing import Any

from sentinel.parse import export


def test_entry_gives_its_fields_and_several_values_of_one() -> None:
    """A field that comes twice has both values; a `=` in a value is a part of it."""
    text = "__CURSOR=s=1;i=1\nMESSAGE=a=b\nTAG=one\nTAG=two"

    assert export.document_of_export(text) == {"__CURSOR": "s=1;i=1", "MESSAGE": "a=b", "TAG": ["one", "two"]}


def test_value_that_is_no_plain_text_stands_behind_its_size() -> None:
    """The eight bytes of its size are no part of it; its lines are kept."""
    text = "__CURSOR=s=1\nMESSAGE\n\x0b\x00\x00\x00\x00\x00\x00\x00card\nlost 7\nPRIORITY=3"

    assert export.document_of_export(text) == {"__CURSOR": "s=1", "MESSAGE": "card\nlost 7", "PRIORITY": "3"}


def test_entries_of_a_file_are_records_of_their_own(read_lines: Callable[..., Any]) -> None:
    """A blank line ends an entry; its fields give time, level, source and host, and stand once."""
    one = (
        "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1772619320250000\nPRIORITY=3\nSYSLOG_IDENTIFIER=till\nMESSAGE=3 coins lost"
    )
    other = "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1772619321250000\n_HOSTNAME=web1\nMESSAGE=closed"

    parsed = read_lines(*one.split("\n"), "", *other.split("\n"))

    rows = parsed.records.select("level", "source", "host", "message").rows()
    assert rows == [("error", "till", None, "3 coins lost"), (None, "app", "web1", "closed")]
    assert [f"{at:%H:%M:%S.%f}" for at in parsed.records["timestamp"]] == ["10:15:20.250000", "10:15:21.250000"]
    assert parsed.formats.to_list() == ["journald-export"] * 2


def test_entry_of_the_verbose_form_is_a_record(read_lines: Callable[..., Any]) -> None:
    """What `journalctl -o verbose` shows: the time above, the fields below it, several entries one after another."""
    head = "Wed 2026-03-04 10:15:2{}.250000 UTC [s=5f1c;i=1a1;b=9d2e;m=4c;t=64d1;x=77]"
    fields = ["    PRIORITY=3", "    _HOSTNAME=web1", "    SYSLOG_IDENTIFIER=shop", "    MESSAGE=card declined"]
    records = read_lines(head.format(0), *fields, head.format(1), *fields).records

    assert (
        records.select("level", "source", "host", "message").rows() == [("error", "shop", "web1", "card declined")] * 2
    )
    assert [at.second for at in records["timestamp"]] == [20, 21]
