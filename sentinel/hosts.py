"""Names and addresses of machines, in the form in which requests are compared with them."""

import ipaddress
import re

__all__ = ["plain_host"]

HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,30}")


def plain_host(text: str) -> str:
    """A name or address as requests are compared with it. Raises ValueError for anything else, also with a port."""
    name = text.lower().removesuffix(".")
    try:
        return str(ipaddress.ip_address(name.removeprefix("[").removesuffix("]")))
    except ValueError:
        pass
    if not HOST_NAME.fullmatch(name):
        raise ValueError(f"takes names and addresses without scheme, port or *, e.g. logs.example.org; not {text!r}")
    return name
