"""Bodies of requests: the content type decides their form, else their looks; what is broken says where."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.errors import TerminalError
from sentinel.parse import BadBodyError, Malformed, decode_body

JSON = "application/json"
NDJSON = "application/x-ndjson"
CURL = "application/x-www-form-urlencoded"
OBJECT = b'{"message":"a"}'


@pytest.mark.parametrize(
    ("raw", "content_type", "documents"),
    [
        (OBJECT, JSON, 1),
        (OBJECT, JSON + "; charset=utf-8", 1),
        (OBJECT, "application/vnd.x+json", 1),
        (b"[" + OBJECT + b",5]", JSON, 2),
        (b"[]", JSON, 0),
        (OBJECT + b"\n" + OBJECT + b"\n", NDJSON, 2),
        (OBJECT + b"\r\n\n" + OBJECT, JSON, 2),
        (OBJECT + b"\n" + OBJECT, None, 2),
        (OBJECT, CURL, 1),
        (b' \n{\n "message":\n "a"\n}', None, 1),
        (b'{\n "message": "a"\n}', NDJSON, 1),
        (b"\xef\xbb\xbf" + OBJECT, None, 1),
        (b"\x1e" + OBJECT + b"\n\x1e" + OBJECT, "application/json-seq", 2),
        ('{"message":"é"}'.encode("latin-1"), "application/json; charset=ISO-8859-1", 1),
    ],
)
def test_json_is_decoded_into_documents(raw: bytes, content_type: str | None, documents: int) -> None:
    """An object, an array, or one a line, whatever of the JSON types was named."""
    body = decode_body(raw, content_type)

    assert body.lines is None
    assert body.documents is not None
    assert len(body.documents) == documents


@pytest.mark.parametrize("content_type", ["text/plain", None, CURL, "application/octet-stream"])
def test_text_is_split_into_lines(content_type: str | None) -> None:
    """Blank lines keep their place, so that an index is a line's number; line ends are not part of a line."""
    body = decode_body(b"a\r\n\nb \xff\n", content_type)

    assert body.documents is None
    assert body.lines == [b"a", b"", b"b \xff"]


def test_content_type_decides_against_the_looks() -> None:
    """JSON sent as text is text lines (each is read as JSON later)."""
    assert decode_body(OBJECT, "text/plain").lines == [OBJECT]


def test_bracket_that_opens_no_json_is_text() -> None:
    """Apache's error log begins with one."""
    line = b"[Sun Dec 04 04:47:44 2005] [error] lost"

    assert decode_body(line, CURL).lines == [line]


def test_malformed_line_stands_among_the_others() -> None:
    """It alone is refused, by line and column; the blank line is not counted."""
    body = decode_body(OBJECT + b'\n\n{"message":\n' + OBJECT, NDJSON)

    assert body.documents is not None
    first, bad, last = body.documents
    assert first == last == json.loads(OBJECT)
    assert isinstance(bad, Malformed)
    assert bad.reason.startswith("line 3 column ")


def test_bad_utf8_in_one_line_of_ndjson_refuses_that_line() -> None:
    """And no other."""
    body = decode_body(OBJECT + b'\n{"message":"\xff"}\n' + OBJECT, NDJSON)

    assert body.documents is not None
    assert [isinstance(document, Malformed) for document in body.documents] == [False, True, False]


@pytest.mark.parametrize(
    ("raw", "content_type", "where", "why"),
    [
        (b"", JSON, "start", "empty body"),
        (b" \r\n ", None, "start", "empty body"),
        (b"\xef\xbb\xbf", "text/plain", "start", "empty body"),
        (b'{"message": "a"', JSON, "line 1 column 16", "no JSON"),
        (b'{"message":\n oops}', JSON, "line 2 column 2", "no JSON"),
        (b'[{"message":"a"},]', JSON, "line 1 column", "no JSON"),
        (b'{"message":"\xff"}', JSON, "line 1 column", "no JSON"),
        (b'{"message":"\\ud800"}', JSON, "line 1 column", "no JSON"),
        (b'{"message":"a","n":NaN}', JSON, "line 1 column", "no JSON"),
        (b'{"message":"a","n":1e999}', JSON, "line 1 column", "no JSON"),
        (b'{"message":"a","n":-Infinity}', None, "line 1 column", "no JSON"),
        (b"[" * 50_000 + b"]" * 50_000, JSON, "line 1 column", "no JSON"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, None, "line 1 column", "no JSON"),
        (b"1" * 5_000, JSON, "line 1", "no JSON"),
        (b"hello", JSON, "line 1 column 1", "no JSON"),
        ("{}".encode("utf-16"), JSON, "start", "UTF-16"),
        (b"{}", "application/json; charset=nonsense", "charset", "nonsense"),
        (b"abc", "image/png", "content type", "image/png"),
    ],
)
def test_broken_body_is_refused_with_where_and_why(raw: bytes, content_type: str | None, where: str, why: str) -> None:
    """One clear error, never a crash: the caller can answer 400 and say what to correct."""
    with pytest.raises(BadBodyError) as caught:
        decode_body(raw, content_type)

    assert isinstance(caught.value, TerminalError)
    assert where in caught.value.where
    assert why in caught.value.why
    assert len(str(caught.value)) < 500


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from([OBJECT, b"{", b"[", b"]", b"}", b"\n", b",", b"1"])).map(b"".join),
    st.sampled_from([JSON, NDJSON, CURL, None, "text/plain", "", ";", "text/plain; charset=utf-16", "a/b"]),
)
def test_any_body_is_decoded_or_refused(raw: bytes, content_type: str | None) -> None:
    """Documents, or lines, or BadBodyError: nothing else comes out."""
    try:
        body = decode_body(raw, content_type)
    except BadBodyError:
        return

    assert (body.documents is None) != (body.lines is None)
