"""Lists among a command's arguments."""

__all__ = ["listed"]


def listed(text: str) -> tuple[str, ...]:
    """The parts of a comma-separated text, without blanks around them and without empty ones.

    >>> listed("own, unread,")
    ('own', 'unread')
    """
    return tuple(filter(None, map(str.strip, text.split(","))))
