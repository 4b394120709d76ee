"""`evaluate`: the detector's figures beside its peers', on public logs and made suites."""

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from sentinel.cli.commands import Run
from sentinel.cli.lists import listed
from sentinel.cli.numbers import MAX_SEED, whole
from sentinel.cli.show import json_line, print_json
from sentinel.durable import write_file
from sentinel.errors import TerminalError
from sentinel.settings import Settings
from sentinel.wiring import use_lexicon

__all__ = ["evaluate_command"]

DATA = Path("../shared/data")
ABLATED_SETS = ("own", "unread")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def evaluate_command(command: argparse.ArgumentParser) -> Run:
    """Arguments of `evaluate`."""
    command.add_argument("--out", type=Path, default=Path("var/evaluation"), help="folder for table, JSON and plots")
    command.add_argument("--data", type=Path, default=DATA, help="folder of public logs; left out where it is absent")
    command.add_argument("--sets", default="", help="comma-separated; all, if left out (an unknown one lists them)")
    command.add_argument(
        "--seeds", type=whole(1, 1_000), default=3, help="made suites of each background; draws of sessions"
    )
    command.add_argument("--first", type=whole(0, 100_000), default=0, help="number of the first of them")
    command.add_argument("--seed", type=whole(0, MAX_SEED), default=0)
    command.add_argument("--quick", action="store_true", help="one seed and the smallest set of cases")
    command.add_argument("--no-peers", action="store_true", help="our detector alone")
    command.add_argument(
        "--write",
        type=Path,
        metavar="PAGE.md",
        help="put the figures, with date and commit, between the marks of this page",
    )
    command.add_argument(
        "--lexicon", type=Path, metavar="DIR", help="instead: the share of wordings in DIR that are read right"
    )
    command.add_argument(
        "--reasons", action="store_true", help="instead: how often the score falls without what the first reason tells"
    )
    command.add_argument(
        "--ablate", action="store_true", help="instead: what each channel, family, list and number is worth; quick sets"
    )
    command.add_argument(
        "--only", default="", metavar="NAMES", help="of --ablate: comma-separated names, or their beginnings"
    )
    command.add_argument("--ablate-one", default="", metavar="NAME", help=argparse.SUPPRESS)
    command.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return _evaluate


def _evaluate(options: argparse.Namespace, settings: Settings) -> int:
    if options.lexicon is not None:
        return _score_lexicon(options.lexicon, settings, as_json=options.json)
    if options.reasons:
        return _check_reasons(options)
    if options.ablate or options.ablate_one:
        return _ablate(options)
    from sentinel.evaluation import SETS, evaluate, goal_rows, markdown
    from sentinel.evaluation.measured import measured

    result = evaluate(
        options.out,
        data=options.data if options.data.is_dir() else None,
        sets=listed(options.sets) or SETS,
        seeds=options.seeds,
        first=options.first,
        seed=options.seed,
        quick=options.quick,
        peers=not options.no_peers,
        about=measured(datetime.now(UTC)),
        say=_say,
    )
    if options.json:
        print_json(result.to_dict())
    else:
        print(markdown(goal_rows(result)))
        print(f"written to {options.out}")
    if options.write is not None:
        _write_page(options.write, (options.out / "evaluation.md").read_text(encoding="utf-8"))
    return 0


def _score_lexicon(folder: Path, settings: Settings, *, as_json: bool) -> int:
    from sentinel.evaluation.wordings import score_wordings, wordings_table

    use_lexicon(settings)
    shares = score_wordings(folder)
    print(json_line(shares) if as_json else wordings_table(shares))
    return 0


def _check_reasons(options: argparse.Namespace) -> int:
    from sentinel.evaluation.counterfactuals import check_reasons, reasons_table

    data = options.data if options.data.is_dir() else None
    rows = check_reasons(data, seeds=1 if options.quick else options.seeds, seed=options.seed, say=_say)
    if options.json:
        print_json({"reasons": rows})
    else:
        print(reasons_table(rows))
    return 0


def _ablate(options: argparse.Namespace) -> int:
    """`--out` is a file of JSON lines here, which is gone on with where it stands; a folder gets one."""
    from sentinel.detect.tuning.tried import try_number

    if options.ablate_one.startswith("number:"):  # before what follows imports the detector
        name, _, factor = options.ablate_one.removeprefix("number:").partition("*")
        try_number(name, float(factor))
    from sentinel.evaluation.ablate import ablate, ablation_table, run_alone
    from sentinel.evaluation.report import markdown

    out = options.out if options.out.suffix else options.out / "ablation.jsonl"
    sets = listed(options.sets) or ABLATED_SETS
    how = {"first": options.first, "seed": options.seed, "sets": sets, "say": _say}
    if options.ablate_one:
        run_alone(out, options.ablate_one, **how)
        return 0
    rows = ablation_table(ablate(out, listed(options.only), **how))
    if options.json:
        print_json({"ablation": rows})
    else:
        print(markdown(rows))
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _write_page(page: Path, figures: str) -> None:
    """Replace what stands between the marks."""
    text = page.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise TerminalError(f"write figures to {page}: it has no {BEGIN} and {END}")
    shown = re.sub(r"^## ", "### ", figures, flags=re.MULTILINE)
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    write_file(page, f"{before}{BEGIN}\n\n{shown}\n{END}{after}".encode(), mode=0o644)
