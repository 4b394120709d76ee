"""Bring a text and the patterns for it to one spelling: small letters, no accents, words taken apart."""

import re
import unicodedata

__all__ = ["accented_class", "fold", "spell"]

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_PIECE = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_LOST = "[?\ufffd]|a[\x80-\xbf]"
"""What an accented letter is where bytes were read in the wrong encoding: a mark, or Ã and a sign (`spell`)."""
_GERMAN = {"ä": "ae?", "ö": "oe?", "ü": "ue?", "ß": "ss|s"}


def fold(text: str) -> str:
    """A text as patterns see it: `Échec_login` is `echec login`; `LoginFailed` stands twice, once taken apart.

    >>> fold("Usuário_NÃO encontrado")
    'usuario nao encontrado'
    >>> fold("LoginFailed")
    'loginfailed\\nlogin failed'
    """
    text = text.replace("_", " ")
    folded = _plain(text)
    apart = _CAMEL.sub(" ", text)
    return folded if len(apart) == len(text) else f"{folded}\n{_plain(apart)}"


def _plain(text: str) -> str:
    text = text.lower()
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text.replace("ß", "ss").replace("’", "'"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def spell(pattern: str) -> str:
    """A pattern for folded texts: small letters, blanks for underscores; an accented letter also without its accent, as
    `ae` or damaged.

    Escapes (`\\S`) stay. Raises ValueError for an accented letter inside brackets, where it cannot stand for more.
    """
    return "".join(_spell_piece(found[0]) for found in _PIECE.finditer(unicodedata.normalize("NFC", pattern)))


def _spell_piece(piece: str) -> str:
    if piece[0] == "\\":
        return piece
    small = piece.lower() if piece != "_" else " "
    if small.isascii() or not any(letter.isalpha() for letter in small):
        return small
    if len(small) > 1:
        raise ValueError(f"an accented letter inside {piece}: write (?:a|ä) in its place")
    return accented_class(small)


def accented_class(letter: str) -> str:
    """The spellings of one accented small letter, as a group."""
    base = _GERMAN.get(letter, _plain(letter))
    return f"(?:{base}|{_LOST})"
