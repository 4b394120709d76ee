"""The table of commands: each has an example that parses, starts without what it does not need, and completes."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sentinel import __version__
from sentinel.cli.commands import COMMANDS
from sentinel.cli.completion import FOLDER, SHELLS
from sentinel.cli.main import build_parser

SLOW = ("fastapi", "numba", "numpy", "polars", "prefect", "sklearn")
LIGHT = (
    "--help",
    "--version",
    "completion bash",
    "status",
    "status --json",
    "incidents",
    "incidents --json --since 1h --severity high",
    "incidents show 9f2c66a1d0b34e57",
    "feedback list",
    "feedback undo 9f2c66a1d0b34e57",
    "threshold",
    "threshold --nats 8",
    "threshold --preview --alerts-per-day 5",
    "threshold --reset",
    *(f"{name} --help" for name in ("status", "incidents", "feedback", "mute", "threshold")),
)
COMPLETIONS = Path(sys.modules["sentinel.cli.completion"].__file__ or "").with_name(FOLDER)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_an_example_that_parses(name: str) -> None:
    """Help and example of a command are shown, and the example is one."""
    words = shlex.split(COMMANDS[name].example)
    parser = build_parser([name])

    if name != "completion":  # it prints while its arguments are read
        assert callable(parser.parse_args(words[1:]).run)
    assert words[:2] == ["sentinel", name]
    assert COMMANDS[name].help in " ".join(parser.format_help().split())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_shows_its_example(name: str, sentinel_command) -> None:
    """`sentinel COMMAND --help` says how it is called."""
    told = " ".join(sentinel_command(name, "--help").out.split())

    assert COMMANDS[name].example in told


@pytest.mark.parametrize("line", LIGHT)
def test_light_command_imports_nothing_slow(line: str, home: Path) -> None:
    """What a person calls often begins without frames, compilers and servers."""
    code = f"import sys; sys.argv[1:] = {shlex.split(line)!r}\nfrom sentinel.cli import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    pass\n"
    code += f"print(sorted(set({SLOW!r}) & set(sys.modules)), file=sys.stderr)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


def test_only_the_chosen_command_is_imported() -> None:
    """A command's file is imported when the command is called, not to list it."""
    code = "import sys; from sentinel.cli.main import build_parser; build_parser(['threshold'])\n"
    code += "print(sorted(name for name in sys.modules if name.startswith('sentinel.cli.')))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert "sentinel.cli.words" in done.stdout
    assert "sentinel.cli.doctor" not in done.stdout
    assert "sentinel.cli.model" not in done.stdout


def test_version_is_that_of_the_package(sentinel_command) -> None:
    """`sentinel --version` prints one line."""
    assert sentinel_command("--version").out == f"sentinel {__version__}\n"


def test_every_command_is_listed_with_its_help(sentinel_command) -> None:
    """`sentinel --help` names each command."""
    told = " ".join(sentinel_command("--help").out.split())

    assert [name for name, command in COMMANDS.items() if f"{name} {command.help}" not in told] == []


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_prints_the_script_also_where_settings_are_wrong(
    shell: str, sentinel_command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that starts gets its script whatever stands in `.env`."""
    monkeypatch.setenv("LOG_SENTINEL_PORTS", "none")

    ran = sentinel_command("completion", shell)

    assert ran.code == 0
    assert ran.out == (COMPLETIONS / f"sentinel.{shell}").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [(("inci",), "incidents"), (("incidents", "--sev"), "--severity"), (("dead-letters", "rep"), "replay")],
)
def test_bash_completes_commands_options_and_choices(words: tuple[str, ...], expected: str) -> None:
    """Bash itself, asked with the script, knows how a word goes on."""
    script = COMPLETIONS / "sentinel.bash"
    line = f"source {shlex.quote(str(script))}; COMP_WORDS=(sentinel {shlex.join(words)}); COMP_CWORD={len(words)}; "
    line += 'f=$(complete -p sentinel | sed "s/.*-F \\([^ ]*\\).*/\\1/"); $f sentinel; printf "%s\\n" "${COMPREPLY[@]}"'

    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, timeout=60)

    assert expected in done.stdout.split()


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"up", "serve", "completion"}))
def test_command_speaks_json(name: str, sentinel_command) -> None:
    """Each command that answers and ends has `--json`; those that stay, and the script for shells, have not."""
    assert "--json" in sentinel_command(name, "--help").out
