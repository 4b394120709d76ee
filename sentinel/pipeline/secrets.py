"""How many secrets were masked, by kind, in the life of a spool: counted in the commit of the records they were in."""

from collections.abc import Mapping

from sentinel.parse import MASKED_KINDS
from sentinel.spool import Spool, Transaction

__all__ = ["count_masked", "masked_by_kind"]


def count_masked(tx: Transaction, masked: Mapping[str, int]) -> None:
    """Count on what `masked_by_kind` tells."""
    for kind, count in masked.items():
        tx.count(_name(kind), count)


def masked_by_kind(spool: Spool) -> dict[str, int]:
    """Every kind of secret, and how many of it were masked."""
    return {kind: spool.counter(_name(kind)) for kind in MASKED_KINDS}


def _name(kind: str) -> str:
    return f"masked {kind}"
