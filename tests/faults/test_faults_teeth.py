"""R12: the gates bite. Each wrong version of the product turns one red, and the product itself turns none."""

import subprocess
import sys

import pytest

from tests.faults.gates import GATES
from tests.faults.mutants import MUTANTS
from tests.faults.processes import ROOT
from tests.faults.trace import compiler

RED, GREEN = 1, 0


def run_gate(gate: str, mutant: str) -> subprocess.CompletedProcess[str]:
    """Run a gate in a process of its own, patched from its start."""
    if gate == "powerloss" and compiler() is None:
        pytest.skip("no C compiler to build the shim with")
    command = [sys.executable, "-m", "tests.faults.mutants", mutant, "tests.faults.gates", gate, mutant]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("gate", GATES)
def test_gate_is_green_on_the_product(gate: str) -> None:
    """Else the next test would prove nothing."""
    done = run_gate(gate, "none")

    assert done.returncode == GREEN, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS)
def test_gate_is_red_on_the_mutant(mutant: str) -> None:
    """A gate that a mistake passes is no gate."""
    done = run_gate(MUTANTS[mutant][1], mutant)

    assert done.returncode == RED, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr


def test_there_are_mutants_enough() -> None:
    """At least eight mistakes, spread over the gates."""
    assert len(MUTANTS) >= 8
    assert {gate for _, gate in MUTANTS.values()} == set(GATES)
