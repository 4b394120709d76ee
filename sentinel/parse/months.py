"""Names of months and weekdays in English, Portuguese, Spanish, German, French and Italian."""

from typing import Final

__all__ = ["ANY_MONTH", "ANY_WEEKDAY", "MONTHS"]

_NAMES: Final = (
    "jan january janeiro ene enero jänner januar janv janvier gen gennaio",
    "feb february fev fevereiro febrero februar févr fév fevr février febbraio",
    "mar march março marco marzo mär mrz märz maerz mars",
    "apr april abr abril avr avril aprile",
    "may mai maio mayo maggio mag",
    "jun june junho junio juni juin giu giugno",
    "jul july julho julio juli juil juillet lug luglio",
    "aug august ago agosto août aout aoû",
    "sep sept september set setembro septiembre setiembre septembre settembre",
    "oct october out outubro octubre okt oktober octobre ott ottobre",
    "nov november novembro noviembre novembre",
    "dec december dez dezembro dic diciembre dezember déc decembre décembre dicembre",
)
MONTHS: Final = {name: number for number, names in enumerate(_NAMES, start=1) for name in names.split()}
"""Name in lower case → 1 to 12."""

ANY_MONTH: Final = "(?i:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\.?"
"""Pattern of a month's name, long or short, in any case."""
ANY_WEEKDAY: Final = (
    r"(?i:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|mié|mie|jeu|jue|ven|vie|sam|sáb|sab|dim|dom|"
    r"seg|ter|qua|qui|sex|gio)[a-zäöüéáçã-]*\.?"
)
"""Pattern of a weekday's name; it says nothing that the date does not."""
