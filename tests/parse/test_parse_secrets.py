"""Secrets do not pass: a placeholder stands for each, whatever door the line came by; what is none stays."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentinel.errors import SettingsError
from sentinel.parse import MASKED_KINDS, Document, Reading, kinds_of, parse_documents, use
from sentinel.parse.cards import is_card
from sentinel.parse.in_use import ALL_KINDS
from sentinel.parse.secrets import masked

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34\nGkxFhD90vcNLYLInF\n-----END RSA PRIVATE KEY-----"
HIDDEN = {  # text before, secret, text behind, and what stands for it; put together here, so that no scanner alarms
    "card": ("paid with ", "4012 8888 8888 1881", " today", "<CARD>"),
    "card in one piece": ("pan=", "5425233430109903", "&x=1", "<CARD>"),
    "card of 15": ("amex ", "3714-496353-98431", ".", "<CARD>"),
    "authorization": ("Authorization: Basic ", "Ym9iOnNlY3JldA==", "", "<TOKEN>"),
    "authorization in JSON": ('{"Authorization":"Bearer ', "abc.def", '"}', "<TOKEN>"),
    "bearer": ("sent bearer ", "9f8a7b6c5d4e3f2a1b0c", " to it", "<TOKEN>"),
    "jwt": ("with ", "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl", " came", "<JWT>"),
    "aws": ("id ", "AKI" + "AQWERTYUIOPASDFGH", " used", "<AWS_KEY>"),
    "aws secret": ("AWS_SECRET_ACCESS_KEY=", "aB3/" * 10, " ", "<AWS_KEY>"),
    "gcp": ("?key=", "AIz" + "aSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", "&v=1", "<GCP_KEY>"),
    "github": ("token ", "gh" + "p_16C7e42F292c6912E7710c838347Ae178B4a", " used", "<GITHUB_TOKEN>"),
    "slack": ("post ", "xox" + "b-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy", "", "<SLACK_TOKEN>"),
    "stripe": ("with ", "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc", ";", "<STRIPE_KEY>"),
    "private key": ("got ", PEM, "\nand more", "<PRIVATE_KEY>"),
    "private key cut off": ("got ", PEM[:60], "", "<PRIVATE_KEY>"),
    "address": ("connect amqp://shop:", "s3cr3t!", "@mq.local:5672/v failed", "<PASSWORD>"),
    "address without a user": ("redis://:", "geheim", "@cache/0", "<PASSWORD>"),
    "pair": ("user=bob password=", "hunter2", " ok", "<PASSWORD>"),
    "query": ("GET /login?passwd=", "hunter2", "&next=/home HTTP/1.1", "<PASSWORD>"),
    "quoted": ('password="', "two words", '" next', "<PASSWORD>"),
    "JSON with a quote in it": ('{"password":"', 'a\\"b', '","user":"bob"}', "<PASSWORD>"),
    "JSON in JSON": ('{\\"db_password\\":\\"', "hunter2", '\\",\\"n\\":1}', "<PASSWORD>"),
    "connection string": ("Server=db;User Id=sa;Password=", "Pa$$w0rd", ";Timeout=3", "<PASSWORD>"),
    "YAML": ("password: ", "hunter2", "", "<PASSWORD>"),
    "option": ("mysql --password ", "hunter2", " -u root", "<PASSWORD>"),
    "SQL": ("CREATE USER bob IDENTIFIED BY '", "tiger", "'", "<PASSWORD>"),
    "Portuguese": ("senha=", "abacaxi", " ok", "<PASSWORD>"),
    "api key": ("X-Api-Key: ", "k3y-0f-ours", "", "<KEY>"),
    "camel case": ('"clientSecret": "', "abcdef", '"', "<KEY>"),
    "bare token": ("token=", "a1b2c3d4e5f6a7b8", " seen", "<KEY>"),
    "GitLab": ("with ", "glpa" + "t-abcdefghij0123456789", " used", "<KEY>"),
}
PLAIN = (
    "order 4012888888881882 shipped",
    "uuid 4012f888-8888-4188-8012-888888888881 made",
    "block blk_4012888888881881 and part-4012888888881881 and 0.4012888888881881",
    "at 1764201600000000000 and 1764201600000",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 is no secret",
    "Failed password for root from 10.0.0.1 port 22 ssh2",
    "Invalid password: user admin",
    "password: expired, password=null, password=***, password=<PASSWORD>, password=${DB_PASSWORD}",
    "PWD=/root ; USER=root ; COMMAND=/bin/ls",
    "csrf_token=a1b2c3d4e5f6a7b8 next_page_token=a1b2c3d4e5f6a7b8",
    "unexpected token: IDENTIFIER, max_tokens=4096 tokens=15",
    "authorization: failed for bob",
    "secret=default/my-tls mounted",
    "http://example.org:8080/a@b",
    "reset_password=true pass=3 fail=0",
)


@pytest.fixture
def reading() -> Iterator[Callable[[str], None]]:
    """Read with a setting of one's own; as before at the end."""
    yield lambda text: use(Reading(mask=kinds_of(text)))
    use(Reading())


@pytest.mark.parametrize("name", HIDDEN)
def test_secret_is_masked_and_nothing_else(name: str) -> None:
    """The placeholder stands exactly where the secret stood."""
    before, secret, behind, placeholder = HIDDEN[name]

    found = masked(before + secret + behind, ALL_KINDS, Counter())

    assert found == before + placeholder + behind


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_secret_stays(text: str) -> None:
    """Ids, hashes, states and others' placeholders are left alone."""
    assert masked(text, ALL_KINDS, Counter()) == text


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("repeat", [1, 40])
def test_line_and_document_are_masked_alike(
    name: str, repeat: int, read_lines: Callable[..., Any], reading: Callable[[str], None]
) -> None:
    """In a file's lines and in documents, few or many, in message and attributes; counted once a place."""
    before, secret, behind, placeholder = HIDDEN[name]
    text = before + secret + behind
    line = f"2026-11-23T10:00:00Z INFO [main] shop.Pay: {text}"

    lines = read_lines(*line.split("\n"), *(["2026-11-23T10:00:00Z INFO [main] shop.Pay: plain"] * repeat))
    bodies = [{"message": text, "level": "info", "source": "shop", "about": text}] * repeat
    documents = parse_documents([Document(body, f"{n:022d}", "test") for n, body in enumerate(bodies)], now=NOW)

    for record in [lines.records.row(0, named=True), *documents.records.iter_rows(named=True)]:
        assert secret not in str(record)
        assert placeholder in record["message"]
    assert placeholder in json.loads(documents.records["attributes"][0])["about"]
    assert sum(lines.masked.values()) == 1
    assert sum(documents.masked.values()) == 2 * repeat


def test_raw_is_masked_too(read_line: Callable[..., dict[str, Any]]) -> None:
    """A line that is kept as it came, for its colours, is kept without its secret."""
    record = read_line("\x1b[31mlogin password=hunter2\x1b[0m")

    assert record["raw"] is not None
    assert "hunter2" not in str(record)


@pytest.mark.parametrize(
    ("name", "value"),
    [("password", "a b"), ("db.password", "hush"), ("apiKey", "abcdef"), ("authorization", "Basic eDp5")],
)
def test_name_of_an_attribute_tells(name: str, value: str) -> None:
    """What stands under a name that tells is masked whole, also within objects."""
    body = {"message": "hello", "request": {name: value, "kept": "as it is"}}

    parsed = parse_documents([Document(body, "0" * 22, "test")], now=NOW)

    attributes = json.loads(parsed.records["attributes"][0])
    assert value not in str(attributes)
    assert attributes["request.kept"] == "as it is"


def test_key_of_many_lines_is_one_event(read_lines: Callable[..., Any]) -> None:
    """Also where no head stands before it, and whatever its lines look like."""
    parsed = read_lines(
        "plain", *PEM.split("\n")[:2], "INFO 4f", *PEM.split("\n")[2:], "2026-11-23T10:00:00Z INFO x: y"
    )

    assert parsed.records["message"].to_list() == ["plain", "<PRIVATE_KEY>", "y"]


def test_setting_chooses_kinds(reading: Callable[[str], None], read_line: Callable[..., dict[str, Any]]) -> None:
    """All, none, or those that are named; another name is refused with those that there are."""
    line = "card 4012888888881881 password=hunter2"
    shown = {}
    for setting in ("all", "none", "card", " card , password "):
        reading(setting)
        shown[setting.strip()] = read_line(line)["message"]

    assert shown["all"] == shown["card , password"] == "card <CARD> password=<PASSWORD>"
    assert shown["none"] == line
    assert shown["card"] == "card <CARD> password=hunter2"
    with pytest.raises(SettingsError, match=r"cards is no kind of secret; give all, none, or some of .*card"):
        kinds_of("jwt,cards")


def test_card_needs_issuer_length_and_check_digit() -> None:
    """One digit off, or one digit only, is no card."""
    assert is_card("4012888888881881")
    assert is_card("3714 496353 98431")
    assert not any(is_card(f"401288888888188{n}") for n in range(10) if n != 1)
    assert not is_card("0000000000000000")
    assert not is_card("9012888888881881")


@settings(deadline=None)
@given(text=st.text(alphabet="ap:/@=\"'\\ -.eyJ4BEGIN\n", max_size=300), kinds=st.sets(st.sampled_from(MASKED_KINDS)))
@example(text="4111 " * 60, kinds=set(MASKED_KINDS))
def test_masking_never_raises_and_settles(text: str, kinds: set[str]) -> None:
    """What was masked holds no more of it: a second time changes nothing."""
    once = masked(text, frozenset(kinds), Counter())

    assert masked(once, frozenset(kinds), Counter()) == once


@pytest.mark.parametrize(
    "piece",
    ["password", "://a", "eyJ", "4111 1111 ", "-----BEGIN PRIVATE KEY", 'password="', "bearer ", "a.a-", "\\" * 9],
)
def test_evil_text_ends(piece: str) -> None:
    """A long text of what a pattern begins with is read through: quadratic work would take minutes."""
    masked(piece * (200_000 // len(piece)), ALL_KINDS, Counter())
