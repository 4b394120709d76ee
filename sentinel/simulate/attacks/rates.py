"""Attacks on a rhythm: too much, too little, nothing at all, far too slow, in the wrong order."""

import random

from sentinel.simulate.attacks.attack import Attack, Hidden
from sentinel.simulate.attacks.stage import Sample, Stage, flow_row, latency_ms
from sentinel.simulate.clock import Row, Span

__all__ = ["latency", "rate_drop", "rate_spike", "sequence_break", "silence"]

DIGITS = "0123456789"


def _vary(rng: random.Random, text: str) -> str:
    """The same line with other figures: the last digits of its numbers are drawn anew, addresses stay whole."""
    characters = list(text)
    for i, character in enumerate(characters):
        follows = characters[i + 1] if i + 1 < len(characters) else " "
        before = characters[i - 1] if i else " "
        if character in DIGITS and before in DIGITS and follows not in "." + DIGITS:
            characters[i] = rng.choice(DIGITS)
    return "".join(characters)


def rate_spike(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """A line that is ordinary comes five times a second for a minute."""
    sample = rng.choice(stage.samples or (_own_sample(rng, stage),))
    rows: list[Row] = []
    moment_s = at_s
    while moment_s < at_s + 60.0:
        rows.append((moment_s, sample.level, sample.source, sample.host, _vary(rng, sample.message)))
        moment_s += rng.expovariate(5.0)
    return Attack("rate_spike", sample.source, sample.source, sample.source, Span(at_s, rows[-1][0]), tuple(rows))


def _own_sample(rng: random.Random, stage: Stage) -> Sample:
    _, level, source, host, message = flow_row(rng, 0.0, stage.steady, stage.steady.texts[0])
    return Sample(level, source, host, message)


def rate_drop(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """The steady flow of the stage falls to a twentieth for an hour."""
    span, source = Span(at_s, at_s + 3600.0), stage.steady.source
    return Attack("rate_drop", source, source, source, span, hidden=(Hidden(source, span, 0.95),))


def silence(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """The stage's sign of life does not come for ten to twenty periods."""
    span, source = Span(at_s, at_s + stage.sign_period_s * rng.uniform(10.0, 20.0)), stage.sign.source
    return Attack("silence", source, source, source, span, hidden=(Hidden(source, span),))


def latency(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """The stage's work takes 150 times as long, for forty pieces of work."""
    flow = stage.work
    rows: list[Row] = []
    moment_s = at_s
    for _ in range(40):
        rows.append(flow_row(rng, moment_s, flow, flow.texts[0], ms=150 * latency_ms(rng)))
        moment_s += rng.expovariate(1 / 8.0)
    span = Span(at_s, moment_s)
    hidden = (Hidden(flow.source, span),)
    return Attack("latency", flow.source, flow.source, flow.source, span, tuple(rows), hidden)


def sequence_break(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """Six runs of the stage's flow in which steps are missing, doubled or out of order."""
    flow = stage.steps
    how = rng.choice(("skipped", "reversed", "repeated", "mixed"))
    rows: list[Row] = []
    moment_s = at_s
    for _ in range(6):
        number = rng.randint(100_000, 999_999)
        for text in _broken(rng, flow.texts, how):
            rows.append(flow_row(rng, moment_s, flow, text, id=number))
            moment_s += rng.uniform(0.2, 4.0)
        moment_s += rng.uniform(1.0, 30.0)
    return Attack(
        "sequence_break", f"{flow.source} {how}", flow.source, flow.source, Span(at_s, rows[-1][0]), tuple(rows)
    )


def _broken(rng: random.Random, texts: tuple[str, ...], how: str) -> tuple[str, ...]:
    how = rng.choice(("skipped", "reversed", "repeated")) if how == "mixed" else how
    if how == "skipped":
        return (texts[0], *texts[3:])
    return tuple(reversed(texts)) if how == "reversed" else (*texts[:2], *(texts[1],) * 3, *texts[2:])
