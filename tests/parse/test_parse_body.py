"""Bodies of requests: the content type decides their form, else their looks; what is broken says where."""

import json
import tracemalloc
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.errors import TerminalError
from sentinel.parse import BadBodyError, Malformed, TooManyLogsError, UnknownCharsetError, decode_body, joined

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
        (b'{"message":"a","n":NaN}', JSON, "line 1 column", "no JSON"),
        (b'{"message":"a","n":1e999}', JSON, "line 1 column", "no JSON"),
        (b'{"message":"a","n":-Infinity}', None, "line 1 column", "no JSON"),
        (b"[" * 50_000 + b"]" * 50_000, JSON, "line 1 column", "no JSON"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, None, "line 1 column", "no JSON"),
        (b"1" * 5_000, JSON, "line 1", "no JSON"),
        (b"hello", JSON, "line 1 column 1", "no JSON"),
        ("{}".encode("utf-16"), JSON, "start", "UTF-16"),
        (b"{}", "application/json; charset=nonsense", "charset", "nonsense"),
        (b"a=1&b=2", CURL, "form", "msg"),
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


ONE, TWO = {"message": 'a }{ \\"[,'}, {"message": "b", "n": [1, {"c": "]"}]}
BOTH = [json.dumps(ONE).encode(), json.dumps(TWO).encode()]


@pytest.mark.parametrize("between", [b"", b" ", b"\n", b",", b"\r\n\r\n", b"\n\x1e"], ids=repr)
@pytest.mark.parametrize("content_type", [JSON, NDJSON, None, CURL, "application/vnd.x+json", "application/json-seq"])
def test_documents_are_read_one_after_another(between: bytes, content_type: str | None) -> None:
    """With a line's end between them, something else or nothing, as `curl -d @file` and shippers send them."""
    assert decode_body(between.join(BOTH * 2), content_type).documents == [ONE, TWO, ONE, TWO]


@pytest.mark.parametrize("content_type", [JSON, NDJSON, None])
def test_documents_are_read_one_after_another_when_printed_over_lines(content_type: str | None) -> None:
    """As `jq .` prints them."""
    body = "\n".join(json.dumps(document, indent=2) for document in (ONE, TWO)).encode()

    assert decode_body(body, content_type).documents == [ONE, TWO]


def test_arrays_one_after_another_are_their_elements() -> None:
    """Batches that were put together, in one line or one a line."""
    batch = b"[" + b",".join(BOTH) + b"]"

    assert decode_body(batch + batch, JSON).documents == [ONE, TWO] * 2
    assert decode_body(batch + b"\n" + batch, NDJSON).documents == [ONE, TWO] * 2


@pytest.mark.parametrize("bad", [b'{"message":NaN}', b'{"message":"\xff"}', b'{"a":1e999}', b"{oops}", b'{"a" "b"}'])
@pytest.mark.parametrize("form", [b"[%s,%s,%s]", b"%s%s%s", b"%s\n%s\n%s", b"[\n%s,\n%s,\n%s\n]"])
def test_broken_document_refuses_itself_alone(bad: bytes, form: bytes) -> None:
    """Its neighbours are read, whatever holds them together."""
    documents = decode_body(form % (BOTH[0], bad, BOTH[1]), JSON).documents

    assert documents is not None
    first, refused, last = documents
    assert (first, last) == (ONE, TWO)
    assert isinstance(refused, Malformed)
    assert "no JSON" in refused.reason


def test_half_a_surrogate_pair_is_kept() -> None:
    """A text that was cut within an emoji; it is no valid Unicode, and no reason to lose the log."""
    one = b'{"message":"cut \\ud83d"}'

    assert decode_body(one, JSON).documents == [{"message": "cut \ud83d"}]
    assert decode_body(one, JSON).is_one
    assert decode_body(b"[" + one + b"," + OBJECT + b"]", JSON).documents == [
        {"message": "cut \ud83d"},
        {"message": "a"},
    ]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.text(max_size=3), st.text(max_size=4) | st.lists(st.text(max_size=3)), min_size=1),
        min_size=1,
    ),
    st.sampled_from(["", " ", ",", "\n"]),
    st.booleans(),
)
def test_any_documents_are_read_one_after_another(
    documents: list[dict[str, object]], between: str, plain: bool
) -> None:
    """Whatever their texts hold: quotes, brackets, backslashes."""
    body = between.join(json.dumps(document, ensure_ascii=plain) for document in documents)

    assert decode_body(body.encode(errors="replace"), JSON).documents == json.loads(
        f"[{','.join(json.dumps(document, ensure_ascii=plain) for document in documents)}]".encode(errors="replace")
    )


def test_pieces_do_not_matter_when_a_body_is_read_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text, a run of backslashes or a quote may lie across any two pieces."""
    tricky = json.dumps({"message": "\\" * 7 + '"}{' + "\\" * 4, "b": '"'}).encode() + BOTH[0]
    expected = [json.loads(tricky[: -len(BOTH[0])]), ONE]
    for size in range(1, len(tricky)):
        monkeypatch.setattr(joined, "_CHUNK", size)

        assert decode_body(tricky, JSON).documents == expected


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        *(("utf-8", "utf-8"), ("UTF8", "utf-8-sig"), ("us-ascii", "utf-8"), ('"utf-8"', "utf-8"), ("", "utf-8-sig")),
        *(("utf-16", "utf-16"), ("utf-16", "utf-16-le"), ("utf-16le", "utf-16-le"), ("UTF-16BE", "utf-16-be")),
    ],
)
@pytest.mark.parametrize("content_type", [JSON, "text/plain"])
def test_charset_is_read(charset: str, codec: str, content_type: str) -> None:
    """Those that logs are sent in, with and without a byte order mark."""
    body = decode_body('{"message":"é€"}'.encode(codec), f"{content_type}; charset={charset}")

    assert (body.documents or [json.loads((body.lines or [b""])[0])]) == [{"message": "é€"}]


def test_charset_of_western_windows_and_unix_is_read() -> None:
    """A byte that has no character in it becomes U+FFFD: one bad line refuses no other."""
    assert decode_body(b"caf\xe9", "text/plain; charset=iso-8859-1").lines == ["café".encode()]
    assert decode_body(b"5 \x80 \x81", "text/plain; charset=Windows-1252").lines == ["5 € \ufffd".encode()]
    assert decode_body(b"a\x00b\x00\x00", "text/plain; charset=utf-16le").lines == ["ab\ufffd".encode()]


@pytest.mark.parametrize(
    "charset",
    [
        "punycode",
        "idna",
        "utf-7",
        "zip",
        "zlib",
        "rot13",
        "unicode_escape",
        "hex",
        "base64",
        "undefined",
        "utf-32",
        "x" * 999,
    ],
)
def test_other_charsets_are_refused(charset: str) -> None:
    """Python has codecs that take minutes for such a body, or are no charsets at all."""
    with pytest.raises(UnknownCharsetError, match="utf-16"):
        decode_body(b"a" * 100_000, f"text/plain; charset={charset}")


@pytest.mark.parametrize(
    "body",
    [b"[" + b"{}," * 2_000_000 + b"{}]", b'{"a":[' + b"1," * 4_000_000 + b"1]}", b"[" * 4_000_000, b"]" * 4_000_000],
    ids=["objects", "numbers", "open", "close"],
)
def test_body_of_too_many_values_is_refused_before_it_is_decoded(body: bytes) -> None:
    """Each would cost some dozen bytes of memory; what stands in texts does not count."""
    with pytest.raises(TooManyLogsError):
        decode_body(body, JSON)

    assert decode_body(b'{"message":"' + b"{},[" * 1_000_000 + b'"}', JSON).is_one


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a\n" * 11, "text/plain"),
        (b"\n" * 11 + b"a", None),
        (b"}\n" * 11, NDJSON),
        (OBJECT * 11, JSON),
        (b"[" + b",".join([OBJECT] * 11) + b"]", NDJSON),
    ],
)
def test_body_of_too_many_logs_is_refused(body: bytes, content_type: str | None) -> None:
    """While they are counted, not after."""
    with pytest.raises(TooManyLogsError):
        decode_body(body, content_type, max_items=10)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[" + OBJECT + (b"," + OBJECT) * 400_000 + b"]", JSON),
        (b'["a' + b'","a' * 1_500_000 + b'"]', JSON),
        (b"x\n" * 3_000_000, NDJSON),
    ],
    ids=["objects", "texts", "lines"],
)
def test_too_many_logs_are_counted_before_any_is_held(body: bytes, content_type: str) -> None:
    """Refusing a body costs some times its size of memory, not what its logs would cost."""
    tracemalloc.start()
    try:
        with pytest.raises(TooManyLogsError, match="200000 logs"):
            decode_body(body, content_type, max_items=200_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 12 * len(body)


RECORD = {"name": "shop.pay", "levelname": "ERROR", "levelno": 40, "created": 1782918245.034, "exc_info": None}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"msg": "card %s declined & tried again", "args": (4711,)}, "card 4711 declined & tried again"),
        ({"msg": "100% sure", "args": ()}, "100% sure"),
        ({"msg": "%(a)s and %(b)d", "args": {"a": "x", "b": 2}}, "x and 2"),
        ({"msg": "%.2f of %5d%%", "args": (1.5, 7)}, "1.50 of     7%"),
        ({"msg": "plain", "message": "formatted before", "args": ()}, "formatted before"),
        ({"msg": "%s at %s", "args": "(<Thing object at 0x7f>, 1)"}, "%s at %s"),
        ({"msg": "%999999999d", "args": (1,)}, "%999999999d"),
        ({"msg": "%s %s", "args": (1,)}, "%s %s"),
    ],
)
def test_form_of_a_python_record_is_read(fields: dict[str, object], message: str) -> None:
    """As `logging.handlers.HTTPHandler` posts it; arguments that cannot be put in stay beside the message."""
    body = decode_body(urlencode(RECORD | fields).encode(), CURL)

    assert body.documents is not None
    (document,) = body.documents
    assert isinstance(document, dict)
    assert [document[name] for name in ("message", "level", "source", "timestamp")] == [
        message,
        "ERROR",
        "shop.pay",
        1782918245.034,
    ]
    assert ("args" in document) is (message == fields["msg"] and fields["args"] != ())
    assert "exc_info" not in document
    assert body.is_one


@pytest.mark.parametrize(
    "raw", [b"a line = of text & more", b"level=error msg=boom", b"x=1", b"GET /a?b=1&c=2", b"a=b\nc=d&e"]
)
def test_text_with_curls_type_is_no_form(raw: bytes) -> None:
    """It has white space or nothing that is encoded."""
    assert decode_body(raw, CURL).lines == raw.split(b"\n")
