"""Read the lexicon: the files of this folder, and those that a user names."""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from sentinel.detect.lexicon.entry import Concept, Entry, parse_file
from sentinel.detect.lexicon.lexicon import Lexicon
from sentinel.detect.lexicon.literals import alternatives
from sentinel.own_files import own_files, own_text

__all__ = ["BUILT_IN", "plain_texts", "read_built_in", "read_lexicon"]

BUILT_IN = ("en", "pt", "es", "de", "fr", "it", "products")
"""The files of this folder: one a language, and one for what products and standards say in none."""
OF_KERNELS = (Concept.PROBE, Concept.TROUBLE)
SETTING = "LOG_SENTINEL_LEXICON"


@cache
def read_built_in() -> tuple[Entry, ...]:
    """The entries of this folder."""
    here = files(__package__)
    return tuple(
        entry for name in BUILT_IN for entry in parse_file((here / f"{name}.toml").read_text("utf-8"), f"{name}.toml")
    )


def plain_texts(concept: Concept) -> tuple[str, ...]:
    """Our patterns of a concept as plain texts, for kernels, which look for them before anything is masked."""
    written = (entry.written for entry in read_built_in() if entry.concept is concept)
    return tuple(re.sub(r"\\(.)", r"\1", text) for pattern in written for text in alternatives(pattern))


def read_lexicon(paths: Sequence[Path] = ()) -> Lexicon:
    """The lexicon of this folder, but for what kernels look for (`plain_texts`), and of the files and folders (their
    `*.toml`, by name) in `paths`.

    Raises SettingsError for a path that cannot be read, holds no entry, or whose examples do not hold.
    """
    found = (file for path in paths for file in own_files(path, "lexicon", SETTING))
    own = tuple(entry for file in found for entry in parse_file(own_text(file, "lexicon", SETTING), str(file)))
    lexicon = Lexicon((*(entry for entry in read_built_in() if entry.concept not in OF_KERNELS), *own))
    for entry in own:
        lexicon.check(entry)
    return lexicon
