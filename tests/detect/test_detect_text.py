"""Messages become masked texts, entities and numbers."""

import numpy as np
import polars as pl
import pytest

from sentinel.detect.kernel.flags import Flag
from sentinel.detect.lexicon.words import flags_of
from sentinel.detect.read.drain import Drain
from sentinel.detect.read.scan import IP, PARAM, SESSION, USER
from sentinel.detect.read.text import Scanned, join, scan


def scan_texts(texts: list[str]) -> Scanned:
    return scan(*join(pl.Series(texts, dtype=pl.String)))


REQUEST, TENANT = "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3302"


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ("Connection from 10.0.0.7:22 closed", "Connection from <IP>:<NUM> closed"),
        ("took 12.5ms for 3 rows", "took <NUM>ms for <NUM> rows"),
        ("eth0 up, sda1 mounted", "eth0 up, sda1 mounted"),
        ("id 3f2504e0-4f89-11d3-9a0c-0305e82c3301 gone", "id <UUID> gone"),
        ("at 10:15:20 wrote /var/log/syslog", "at <TIME> wrote <PATH>"),
        ("see https://a.example/x?y=1 now", "see <URL> now"),
        ("block in: 10.0.0.7.50123 > 10.0.0.8.443: S", "block in: <IP>.<NUM> > <IP>.<NUM>: S"),
        ("release 10.0.0.7.1 out, 10.0.0.7.200.3 next", "release <NUM> out, <NUM> next"),
        ('{"order":123456,"port":8080}', '{"order":<NUM>,"port":<NUM>}'),
        ("peer fe80::1ff:fe23:4567:890a left", "peer <IP> left"),
        ('1.2.3.4 "GET /a/b?c=1 HTTP/1.1" 404 12 "-" "curl/8"', '<IP> "GET <PATH>" S4xx <NUM> "<STR>"'),
        ("block blk_-1608999687919862906 lost", "block <BLK> lost"),
        ("0xdeadbeef and 8e4f2a91bc", "<HEX> and <HEX>"),
        ("Invalid user admin from 1.2.3.4", "Invalid user <USER> from <IP>"),
        ("Role 'owner' assigned to eve", "Role 'owner' assigned to eve"),
        ("role owner granted to eve by user bob", "role owner granted to eve by user <USER>"),
        ("ask 10.0.0.7:50010 to delete  blk_123456 blk_-234567 blk_345678", "ask <IP>:<NUM> to delete  <BLK> <BLK>"),
        ("brokers 10.0.0.1:92, 10.0.0.2:92, 10.0.0.3:92, 10.0.0.4:92.", "brokers <IP>:<NUM>, <IP>:<NUM>."),
        ("cpu 1.5 2.5 3.5 at 4 of 5", "cpu <NUM> <NUM> at <NUM> of <NUM>"),
        ("status=500 code", "status=500 code"),
        ("naïve café ÿ", "naïve café ÿ"),
        ("card <CARD> of user bob, password=<PASSWORD>", "card <CARD> of user <USER>, password=<PASSWORD>"),
        ("", ""),
    ],
)
def test_message_is_masked(message: str, masked: str) -> None:
    """Variable parts become their kind; words, device names and status codes stay."""
    assert scan_texts([message]).text(0) == masked


@pytest.mark.parametrize(
    ("message", "user", "address"),
    [
        ("Failed password for root from 203.0.113.9 port 22 ssh2", "root", "203.0.113.9"),
        ('[pid 4711] [ann] FAIL LOGIN: Client "10.0.0.7"', "", "10.0.0.7"),
        ("Failed password for invalid user user from 203.0.113.9 port 22", "user", "203.0.113.9"),
        ("authentication failure; logname= uid=0 ruser= rhost=203.0.113.9  user=bob", "bob", "203.0.113.9"),
        ('{"event":"login","user":"eve","client_ip":"203.0.113.9"}', "eve", "203.0.113.9"),
        ("Access denied for user 'app'@'203.0.113.9' (using password: YES)", "app", "203.0.113.9"),
        ("login rejected [user: sales] [Source: 203.0.113.9]", "sales", "203.0.113.9"),
        ("proxy 10.0.0.1 refused client 203.0.113.9", "", "203.0.113.9"),
        ("waiting for lock", "", ""),
        ("Invalid user  from 203.0.113.9", "", "203.0.113.9"),
    ],
)
def test_user_and_address_are_found(message: str, user: str, address: str) -> None:
    """A user is found by the word before or after it; an announced address comes before the first one."""
    found = scan_texts([message])

    assert (found.entity(0, USER), found.entity(0, IP)) == (user, address)


@pytest.mark.parametrize(
    ("message", "address"),
    [
        ("Failed password for admin from fe80::9%eth0 port 4000 ssh2", "fe80::9%eth0"),
        ("connection from fe80::a1:2%br-lan.7 closed", "fe80::a1:2%br-lan.7"),
        ("client [fe80::42%12]: refused", "fe80::42%12"),
        ("Failed password for invalid user bob from 10.1.1.1 from 192.0.2.7 port 52110 ssh2", "192.0.2.7"),
        ("Invalid user x from 10.1.1.1 port 9 from 192.0.2.7 port 52110", "192.0.2.7"),
        ("Invalid user x from 2001:db8::5 from fe80::7%wan0 port 52110", "fe80::7%wan0"),
        ("denied rhost=192.0.2.7 user=from 10.1.1.1", "192.0.2.7"),
        ("relay from 192.0.2.7 accepted, was from 10.1.1.1 before", "192.0.2.7"),
    ],
)
def test_address_has_its_zone_and_is_not_the_one_in_a_name(message: str, address: str) -> None:
    """A zone index belongs to its address; of several announced addresses the one that a port follows is the actor,
    since whoever logs in chooses the name before it."""
    assert scan_texts([message]).entity(0, IP) == address


def test_session_and_parameter_are_found() -> None:
    """Blocks, requests and order numbers are sessions; the path asked for and the port scanned are parameters."""
    found = scan_texts(
        [
            "Receiving block blk_42 src: /10.0.0.1:5 dest: /10.0.0.2:6",
            "Order 31297065 paid",
            '1.2.3.4 "GET /a/b?c HTTP/1.1" 200 5',
            "BLOCK SRC=1.2.3.4 DST=10.0.0.5 SPT=56474 DPT=445",
            '{"saga":123456,"step":"charge"}',
            '{"size":123456,"saga":"x"}',
        ]
    )

    assert found.entity(0, SESSION) == "blk_42"
    assert found.entity(1, SESSION) == "31297065"
    assert found.entity(2, PARAM) == "/a/b"
    assert found.entity(3, PARAM) == "445"
    assert [found.entity(i, SESSION) for i in (4, 5)] == ["123456", ""]


@pytest.mark.parametrize(
    ("message", "session"),
    [
        ("ask the node to delete blk_123456 blk_-234567 blk_345678", ""),
        ("removed 1234567, 1234568 for order 7654321", "7654321"),
        (f"closed {REQUEST} {TENANT} {TENANT[:-1]}4", ""),
        (f"{REQUEST} {TENANT} done", REQUEST),
        ("copy blk_123456 to blk_234567", "blk_123456"),
    ],
)  # fmt: skip
def test_list_of_ids_names_no_session(message: str, session: str) -> None:
    """What is one of a list is no session, however long the list; a pair of request and tenant is."""
    assert scan_texts([message]).entity(0, SESSION) == session


def test_numbers_are_kept_in_order() -> None:
    """Measures are kept, ports are not."""
    found = scan_texts(["took 250ms, 3 retries, port 8080, load 0.5"])

    assert found.numbers[0, :3].tolist() == [250.0, 3.0, 0.5]
    assert np.isnan(found.numbers[0, 3])


@pytest.mark.parametrize(
    "text",
    [
        "Running task 42.0 in stage 24.0 (TID 1127)",
        "job 227832893494 started",
        "parcel 00417 handed over",
        "at 1699361123456 the pool was resized",
        "status installed ssl-cert:all 1.1.2",
        "status installed cups 3.18.10-2",
        "backup of 28.11.2026 kept",
    ],
)
def test_numbers_that_name_something_are_no_measures(text: str) -> None:
    """The place in a row, an identifier made of digits alone, a moment, a version: their size says nothing."""
    assert np.isnan(scan_texts([text]).numbers[0]).all()


def test_batch_equals_single_when_texts_are_odd() -> None:
    """A batch gives what each text gives alone, whatever its bytes."""
    rng = np.random.default_rng(3)
    letters = list("abz AZ09 \"'[]()=:./-_@<>{},;|\\%+#é漢\t\n\x00")
    texts = ["".join(rng.choice(letters, rng.integers(0, 80))) for _ in range(400)]

    together = scan_texts(texts)

    for i, text in enumerate(texts):
        alone = scan_texts([text])
        assert alone.text(0) == together.text(i)
        assert alone.entities[0].tolist() == together.entities[i].tolist()
        assert np.array_equal(alone.numbers[0], together.numbers[i], equal_nan=True)


@pytest.mark.parametrize(
    ("masked", "flags"),
    [
        ("Failed password for <USER> from <IP>", Flag.AUTH_FAILURE | Flag.BAD),
        ('{"event":"login_failed","user":"<USER>"}', Flag.AUTH_FAILURE | Flag.BAD),
        ("FAIL LOGIN: Client", Flag.AUTH_FAILURE | Flag.BAD),
        ("Accepted publickey for <USER>", Flag.ACCEPTED | Flag.SENSITIVE),
        ("Authentication success for principal <USER>", Flag.ACCEPTED | Flag.SENSITIVE),
        ("payment failed for order <NUM>", Flag.BAD),
        ("request completed status=200", 0),
        ("new user: name=x, UID=<NUM>, GID=<NUM>", Flag.SENSITIVE),
        ("session opened for user root by <USER>(uid=0)", Flag.ACCEPTED | Flag.SENSITIVE),
        ("(to root) nobody on pts/5", Flag.SENSITIVE),
        ("add 'postgres' to group 'admin'", Flag.SENSITIVE),
        ("container start: capabilities added SYS_ADMIN", Flag.SENSITIVE),
        ("(root) CMD (run-parts /etc/cron.hourly)", 0),
        ("from=root, size=<NUM>, class=0, nrcpts=1", 0),
        ("PCI Root Bridge [PCI0]", 0),
        ("Mounted root (ext2 filesystem).", 0),
        ("Kernel command line: root=LABEL=/ console=tty0", 0),
        ("Registering secondary module capability", 0),
        ("Privilege separation user sshd is there", 0),
        ("Interface Gi0/1, changed state to down", Flag.BAD),
        ("peer <IP> changed state from Established to Idle", Flag.BAD),
        ("node worker-3 is now NotReady", Flag.BAD),
        ("upstream prematurely closed the connection", Flag.BAD),
        ("Master down detected +sdown", Flag.BAD),
        ("request received for <BLK> on <IP> But it does not belong to any file.", Flag.BAD),
        ("Redundant store request received for <BLK>", Flag.BAD),
        ("Block <BLK> is not valid.", Flag.BAD),
        ("redundant power supply present", 0),
        ("connection slots are reserved for roles with the SUPERUSER attribute", 0),
        ("statement: ALTER ROLE <USER> WITH SUPERUSER", Flag.SENSITIVE),
        ("shutting down", 0),
        ("ending the TrustedInstaller main loop", 0),
        ("NIC Link is Up <NUM> Mbps Full Duplex", 0),
        ("session <HEX> has negotiated timeout <NUM>", 0),
        ("minSessionTimeout set to <NUM>", 0),
        ("cache entry invalidated", 0),
        ("the queue is full", Flag.BAD),
        ("wait for lock: timeout after <NUM> ms", Flag.BAD),
        ("interface Gi0/1, changed state to up", 0),
    ],
)
def test_flags_say_what_a_text_reads_as(masked: str, flags: int) -> None:
    """Failed and accepted log-ins are told from other failures and from ordinary lines."""
    assert flags_of(masked) & (Flag.AUTH_FAILURE | Flag.ACCEPTED | Flag.BAD | Flag.SENSITIVE) == flags


def test_every_learnt_text_is_found_again() -> None:
    """What was learnt is never unknown later, however the templates were generalised."""
    texts = [f"job {word} started on {place} with plan" for word in ("a", "b", "c") for place in ("x", "y", "z")]
    drain = Drain()
    for text in texts:
        drain.learn(text)

    assert all(drain.find(text) is not None for text in texts)
    assert len(drain.clusters) == 1


def test_opposites_stay_apart() -> None:
    """Texts that differ in a guard word are two templates."""
    drain = Drain()
    first = drain.learn("log-in of <USER> from <IP> succeeded today")
    second = drain.learn("log-in of <USER> from <IP> failed today")

    assert first.key != second.key


def test_masks_that_agree_are_no_evidence() -> None:
    """Steps of one thing that share its name alone stay apart; texts of which most words agree are one."""
    drain = Drain()
    steps = {drain.learn(f"Parcel <NUM> {step}").key for step in ("registered", "picked", "delivered")}
    hosts = {drain.learn(f"replica {host} caught up in <NUM> ms").key for host in ("alpha", "beta", "gamma")}

    assert len(steps) == 3
    assert len(hosts) == 1


def test_finding_changes_nothing() -> None:
    """An unknown text is not found, and looking for it does not make it known."""
    drain = Drain([(1, "a b c d")])

    assert drain.find("w x y z q") is None
    assert drain.parts() == [(1, "a b c d")]


def test_long_batches_are_joined_as_short_ones() -> None:
    """The bytes and offsets of many texts are those of their parts in a row, read-only, so kernels know one kind."""
    texts = pl.Series(["", "naïve", None, "x" * 40, "日本"] * 20_000)

    buffer, offsets = join(texts)

    assert buffer.tobytes() == "".join(texts.fill_null("").to_list()).encode()
    assert offsets[-1] == len(buffer)
    assert not buffer.flags.writeable
    assert not join(texts[:5])[0].flags.writeable


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("done, 0 errors, 3 warnings", "done, <ZERO> errors, <NUM> warnings"),
        ("error_count=0 dropped=12", "error_count=<ZERO> dropped=<NUM>"),
        ("error rate 0.0%", "error rate <ZERO>%"),
        ("0,0 % de perda", "<ZERO>,<ZERO> % de perda"),
        ("Fehler: 0, Pakete: 0", "Fehler: <ZERO>, Pakete: <NUM>"),
        ('{"failed": 0, "rows": 0}', '{"failed": <ZERO>, "rows": <NUM>}'),
        ("0 of 12 checks failed", "<ZERO> of <NUM> checks failed"),
        ("numErrors=0", "numErrors=<ZERO>"),
        ("0 échecs", "<ZERO> échecs"),
        ("took 0 ms, rows=0", "took <NUM> ms, rows=<NUM>"),
        ("failed to read block 0", "failed to read block <NUM>"),
        ("10 errors, 0.5% lost", "<NUM> errors, <NUM>% lost"),
    ],
)
def test_a_zero_that_counts_trouble_stays(text: str, masked: str) -> None:
    """It says that there was none, so it is no number like others; other zeros are masked."""
    assert scan_texts([text]).text(0) == masked


def test_texts_apart_in_their_trouble_share_a_template_and_read_differently() -> None:
    """`errors=0` and `errors=412` are one template, whose number is judged; only the latter reads as a failure."""
    drain = Drain()
    texts = [scan_texts([f"sync of mail done, errors={count}"]).text(0) for count in (0, 412)]

    keys = {drain.learn(text).key for text in texts}

    assert len(keys) == 1
    assert drain.parts()[0][1].endswith("errors=<NUM>")
    assert [flags_of(text) & Flag.BAD for text in texts] == [0, Flag.BAD]
