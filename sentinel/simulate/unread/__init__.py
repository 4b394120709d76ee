"""An application's log in words that the lexicon does not know: its life, its attacks, new clients that do no harm."""

from sentinel.simulate.unread.made import CLIENTS, GUESSES, unread_suite
from sentinel.simulate.unread.tongues import TONGUES

__all__ = ["CLIENTS", "GUESSES", "TONGUES", "unread_suite"]
