"""Cookies that prove the key, tokens that prove our page."""

import pytest

from serving.sessions import COOKIE, SESSION_S, Sessions


def cookie_of(header: str) -> dict[str, str]:
    return {"cookie": header.partition(";")[0]}


@pytest.fixture
def at() -> list[float]:
    return [1_800_000_000.0]


@pytest.fixture
def sessions(at: list[float]) -> Sessions:
    return Sessions("the key", clock=lambda: at[0])


def test_session_lasts_twelve_hours_and_outlives_a_restart(sessions: Sessions, at: list[float]) -> None:
    """Another server with the same key knows the cookie; after twelve hours nobody does."""
    headers = cookie_of(sessions.begin())

    assert Sessions("the key", clock=lambda: at[0]).of(headers) is not None
    at[0] += SESSION_S - 1
    assert sessions.of(headers) is not None
    at[0] += 2
    assert sessions.of(headers) is None


def test_session_of_another_key_is_none(sessions: Sessions, at: list[float]) -> None:
    """A new key ends every session."""
    assert Sessions("another", clock=lambda: at[0]).of(cookie_of(sessions.begin())) is None


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x=1",
        f"{COOKIE}=",
        f"{COOKIE}=9999999999",
        f"{COOKIE}=9999999999.aa.bb",
        f"{COOKIE}=٣.a.b",
        f'{COOKIE}="\\999"',
        ";;=;",
    ],
)
def test_made_up_cookie_is_no_session(sessions: Sessions, cookie: str) -> None:
    """What we did not sign is nothing, whatever its form."""
    assert sessions.of({"cookie": cookie}) is None


def test_cookie_cannot_be_prolonged(sessions: Sessions) -> None:
    """Another end needs another signature."""
    name, _, value = sessions.begin().partition(";")[0].partition("=")
    end, rest = value.split(".", 1)

    assert sessions.of({"cookie": f"{name}={int(end) + 9}.{rest}"}) is None


def test_cookie_is_out_of_reach_for_scripts_and_other_sites(sessions: Sessions) -> None:
    """HttpOnly, SameSite=Strict, twelve hours, the whole server."""
    header = sessions.begin()

    assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={SESSION_S}"} <= set(header.split("; "))


@pytest.mark.parametrize(
    ("offered", "right"), [("the key", True), (" the key\n", True), ("the kex", False), ("", False)]
)
def test_only_the_key_is_the_key(sessions: Sessions, offered: str, right: bool) -> None:
    """White space around it is no part of it."""
    assert sessions.is_key(offered) is right


def test_change_with_a_cookie_needs_the_token_of_that_session(sessions: Sessions) -> None:
    """A token of another session, or none, changes nothing; to look needs none."""
    first, second = (sessions.of(cookie_of(sessions.begin())) for _ in range(2))
    token = {"x-csrf-token": sessions.token(first)}

    assert sessions.may_change("POST", token, first)
    assert not sessions.may_change("POST", token, second)
    assert not sessions.may_change("DELETE", {}, first)
    assert sessions.may_change("GET", {}, first)


def test_change_without_a_key_needs_the_token_only_from_a_browser() -> None:
    """On loopback a program sends no Origin and needs no token; a page does."""
    free = Sessions(None, clock=lambda: 0.0)

    assert free.may_change("PUT", {}, None)
    assert not free.may_change("PUT", {"origin": "http://localhost:8000"}, None)
    assert free.may_change("PUT", {"origin": "http://localhost:8000", "x-csrf-token": free.token(None)}, None)
    assert not free.is_key("")
