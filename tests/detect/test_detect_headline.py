"""An event of many lines is one template: its first line and the class of its exception."""

import polars as pl
import pytest

from sentinel.detect.read.headline import headline, headlines
from sentinel.detect.read.text import join, scan

TRACE = (
    "cannot close till {}\ncom.acme.TillException: {} coins\n\tat com.acme.Till.close(Till.java:{})\n"
    "Caused by: java.io.IOException\n"
)


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("one line", "one line"),
        (TRACE.format(1, 2, 3), "cannot close till 1 com.acme.TillException"),
        (
            "export failed\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'",
            "export failed KeyError",
        ),
        ("TypeError: x is no function\n    at a (b.js:1:2)\nTypeError: y", "TypeError: x is no function"),
        ("values:\n\ta = 1\n\tb = 2", "values:"),
        ("panic: nil map\ngoroutine 1 [running]:\nmain.main()", "panic: nil map"),
        ("Task #PID<0.1.0> terminating\n** (RuntimeError) empty", "Task #PID<0.1.0> terminating RuntimeError"),
        ('failed\nException in thread "main" java.lang.Error: x', "failed java.lang.Error"),
    ],
)
def test_headline_is_the_first_line_and_the_exception(message: str, named: str) -> None:
    """What is below the first line says no more than which exception it was."""
    assert headline(message) == named
    assert headlines(pl.Series([None, message, "other"])).to_list() == [None, named, "other"]


def test_traces_of_one_place_have_one_masked_text() -> None:
    """Depth and values of a trace change nothing; another exception is another text; one line is as a batch."""
    texts = [TRACE.format(1, 2, 3), TRACE.format(77, 8, 9) + "\tat more.frames(More.java:1)\n" * 40]
    texts.append(texts[0].replace("TillException", "DrawerException"))

    masked = scan(*join(headlines(pl.Series(texts)))).masked.tolist()

    assert masked[0] == masked[1] != masked[2]
    assert masked == [int(scan(*join(pl.Series([headline(text)]))).masked[0]) for text in texts]
