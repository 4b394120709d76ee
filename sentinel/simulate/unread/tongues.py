"""The texts of one application in three tongues that the lexicon does not know: Polish, Swedish and an invented one."""

from dataclasses import dataclass

__all__ = ["TONGUES", "Tongue"]


@dataclass(frozen=True, slots=True)
class Tongue:
    """How an application says what it does: `{u}` is a user, `{a}` an address, `{n}` a number, `{p}` a path.

    `refused` are the lines of one log-in that failed, `lost` that of a page that is not there; `work` are pairs of a
    text and how often people cause it in a visit; `machine` texts have no actor, and `trouble` is rare and harmless.
    """

    source: str
    entered: str
    refused: tuple[str, ...]
    lost: str
    left: str
    work: tuple[tuple[str, float], ...]
    export: str
    machine: tuple[str, ...]
    trouble: str


TONGUES = {
    "polish": Tongue(
        source="sklep",
        entered="Zalogowano {u} z adresu {a}",
        refused=("Niepoprawne hasło dla {u}, adres {a}",),
        lost="Nie ma takiej strony {p}, pytał {a}",
        left="Wylogowano {u} ({a})",
        work=(
            ("Wyświetlono stronę {p} dla {a} w {n} ms", 5.0),
            ("Dodano towar {n} do koszyka, {a}", 1.2),
            ("Szukano towaru, {n} wyników, {a}", 1.5),
            ("Złożono zamówienie {n}, klient {a}", 0.3),
            ("Zmieniono adres dostawy, {a}", 0.1),
        ),
        export="Pobrano fakturę {n}, {a}",
        machine=("Odświeżono pamięć podręczną w {n} ms", "Wysłano list {n}", "Zapisano stan magazynu, {n} pozycji"),
        trouble="Bramka płatności nie odpowiada, próba {n}",
    ),
    "swedish": Tongue(
        source="kassan",
        entered="{a} kom in som {u}",
        refused=("Fel lösenord för {u} från {a}", "Stängde dörren för {a} efter {n} ms"),
        lost="Sidan {p} saknas, {a} frågade",
        left="{u} gick ut, {a}",
        work=(
            ("Visade {p} för {a} på {n} ms", 6.0),
            ("{a} lade vara {n} i korgen", 1.0),
            ("{a} sökte, {n} träffar", 1.0),
            ("Order {n} lagd av {a}", 0.4),
        ),
        export="Kvitto {n} hämtat av {a}",
        machine=("Lagret räknat, {n} rader", "Brev {n} skickat", "Städade {n} gamla korgar"),
        trouble="Kortterminalen svarade sent, försök {n}",
    ),
    "invented": Tongue(
        source="morbel",
        entered="venda ka={u} ip={a}",
        refused=("zurka ka={u} ip={a} mo={n}",),
        lost="pelto {p} ip={a}",
        left="dunat ka={u} ip={a}",
        work=(
            ("silvo {p} ip={a} mo={n}", 4.0),
            ("kerna {n} ip={a}", 1.5),
            ("tolbi mo={n} ip={a}", 0.8),
            ("granu {n} ip={a} mo={n}", 0.5),
        ),
        export="fimro {n} ip={a}",
        machine=("halto mo={n}", "rikse {n} vo", "bontu {n} vo {n}"),
        trouble="marsk vo {n}",
    ),
}
