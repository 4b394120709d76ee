"""What templates are to those who come, whatever their words: bits beside the lexicon's, learnt from training."""

__all__ = ["LOST", "SLIP", "USUAL"]

USUAL, SLIP, LOST = 1 << 9, 1 << 10, 1 << 11
"""What many visits show; what a visit shows at most a few times before it comes to what is usual, as a mistyped
password; what it shows as seldom amid the usual, as a dead link."""
