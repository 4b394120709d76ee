"""Read the lexicon: the files of this folder, and those that a user names."""

import os
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from sentinel.detect.lexicon.entry import Concept, Entry, parse_file
from sentinel.detect.lexicon.lexicon import Lexicon
from sentinel.detect.lexicon.literals import alternatives
from sentinel.errors import SettingsError

__all__ = ["BUILT_IN", "plain_texts", "read_built_in", "read_lexicon"]

BUILT_IN = ("en", "pt", "es", "de", "fr", "it", "products")
"""The files of this folder: one a language, and one for what products and standards say in none."""
OF_KERNELS = (Concept.PROBE, Concept.TROUBLE)
MAX_FILE_BYTES = 1 << 20


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
    own = tuple(entry for path in paths for file in _toml_files(path) for entry in _read(file))
    lexicon = Lexicon((*(entry for entry in read_built_in() if entry.concept not in OF_KERNELS), *own))
    for entry in own:
        lexicon.check(entry)
    return lexicon


def _toml_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*.toml"))
    if not found:
        raise SettingsError(f"lexicon {path}: the folder has no *.toml; fix LOG_SENTINEL_LEXICON")
    return found


def _read(path: Path) -> tuple[Entry, ...]:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise SettingsError(f"lexicon {path}: is larger than 1 MiB")
            content = file.read().decode("utf-8-sig")
    except OSError as exc:
        raise SettingsError(f"lexicon {path}: cannot be read ({exc.strerror}); fix LOG_SENTINEL_LEXICON") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"lexicon {path}: is not UTF-8 (byte {exc.start})") from exc
    return parse_file(content, str(path))
