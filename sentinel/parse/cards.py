"""Whether a number can be that of a payment card: its issuer's prefix, its length, and its check digit (Luhn)."""

from typing import Final

__all__ = ["is_card"]

_ISSUERS: Final = (  # first and last prefix of equal length, lengths: https://en.wikipedia.org/wiki/Payment_card_number
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "649", (16, 19)),
    ("65", "65", (16, 19)),
    ("3528", "3589", (16, 19)),  # JCB
    ("300", "305", (14,)),  # Diners Club
    ("36", "36", (14,)),
    ("38", "39", (14, 16)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("50", "50", (16,)),  # Maestro, Elo
    ("5018", "5038", (16,)),
    ("636", "639", (16,)),
)
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def is_card(text: str) -> bool:
    """Whether digits, perhaps in groups with blanks or dashes, are a card's number; of one digit only they are none."""
    digits = text.replace(" ", "").replace("-", "")
    if not any(first <= digits[: len(first)] <= last and len(digits) in sizes for first, last, sizes in _ISSUERS):
        return False
    numbers = [ord(digit) - 48 for digit in reversed(digits)]
    return len(set(numbers)) > 1 and (sum(numbers[::2]) + sum(_DOUBLED[n] for n in numbers[1::2])) % 10 == 0
