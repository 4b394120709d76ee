"""Named places act once, when they are told to, and cost nothing otherwise."""

import pytest

from sentinel import failpoints
from sentinel.errors import SettingsError


def test_place_acts_at_the_given_time_only():
    """The nth visit acts; those before and after pass."""
    seen = []
    failpoints.arm("here", lambda: seen.append("acted"), nth=3)

    for _ in range(5):
        failpoints.reach("here")
        failpoints.reach("elsewhere")
        seen.append("passed")

    assert seen == ["passed", "passed", "acted", "passed", "passed", "passed"]


def test_places_are_armed_from_text():
    """Several places, each with its action and its turn."""
    failpoints.arm_from_text("a:raise, b:raise:2")

    with pytest.raises(failpoints.FailpointError):
        failpoints.reach("a")
    failpoints.reach("b")
    with pytest.raises(failpoints.FailpointError):
        failpoints.reach("b")


@pytest.mark.parametrize("text", ["", "a", "a:explode", "a:raise:0", "a:raise:x", ":raise"])
def test_text_that_says_nothing_is_refused(text):
    """A mistyped failpoint is an error, never a test that tests nothing."""
    with pytest.raises(SettingsError, match="failpoint"):
        failpoints.arm_from_text(text)
