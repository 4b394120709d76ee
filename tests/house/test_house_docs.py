"""The documents tell what is there: every setting, command, route and flow."""

import argparse
import re
from pathlib import Path

import pytest
import yaml

from benchmarks.formats import page_of
from sentinel.cli.completion import FOLDER, SHELLS, make_script
from sentinel.cli.main import build_parser
from sentinel.parse.formats import LINE_RULES, names_of
from sentinel.settings import Settings

ROOT = Path(__file__).parents[2]
SETTINGS = [name.upper() for name in Settings.model_fields]


def commands() -> dict[str, argparse.ArgumentParser]:
    parser = build_parser()
    chooser = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(chooser.choices)


def test_sample_environment_names_every_setting() -> None:
    """`.env.sample` and the code know the same settings."""
    named = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.sample").read_text(), re.MULTILINE)

    assert sorted(named) == sorted(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_sample_environment_shows_the_default(name: str) -> None:
    """Where `.env.sample` gives a value for a setting, it is the default (two show an example)."""
    shown = re.search(rf"^#?{name}=(.*)$", (ROOT / ".env.sample").read_text(), re.MULTILINE)
    default = Settings.model_fields[name.lower()].default
    text = ",".join(map(str, default)) if isinstance(default, tuple) else "" if default is None else str(default)
    text = text.lower() if isinstance(default, bool) else text

    assert shown
    assert name in {"ELASTIC_ADDR", "LOG_SENTINEL_DIR"} or shown.group(1) == text


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_page_explains_every_setting(name: str) -> None:
    """docs/settings.md has each setting."""
    assert f"`{name}`" in (ROOT / "docs/settings.md").read_text()


@pytest.mark.parametrize("name", sorted(commands()))
def test_commands_page_explains_every_command(name: str) -> None:
    """docs/commands.md has each command, and each command has help."""
    assert f"`sentinel {name}" in (ROOT / "docs/commands.md").read_text()
    assert commands()[name].format_help()


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_script_is_of_the_commands_as_they_are(shell: str) -> None:
    """The scripts that are kept are what the commands give; `python -m sentinel.cli.completion` makes them anew."""
    assert (ROOT / f"sentinel/cli/{FOLDER}/sentinel.{shell}").read_text(encoding="utf-8") == make_script(shell)


def test_http_page_explains_every_route() -> None:
    """docs/http.md has each route of the server."""
    from serving.app import ROUTES

    page = (ROOT / "docs/http.md").read_text()

    assert [route for route in ROUTES if f"`{route}`" not in page] == []


def test_readme_shows_every_deployment() -> None:
    """The README shows how to run each deployment of prefect.yaml."""
    readme = (ROOT / "README.md").read_text()
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    flows = {d["entrypoint"].rsplit(".", 1)[1].replace("_", "-") + "/" + d["name"] for d in deployments}

    assert [flow for flow in flows if f"prefect deployment run '{flow}'" not in readme] == []


def test_links_between_documents_lead_somewhere() -> None:
    """Relative links in the documents point to files that are there."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())]
    broken = [(page.name, link) for page, link in links if not (page.parent / link).exists()]

    assert broken == []


def test_every_format_has_golden_lines() -> None:
    """Each rule that reads lines or their frames is shown by a line of its own in tests/parse/golden."""
    golden = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/parse/golden").glob("*.toml"))
    shown = set(re.findall(r'^format = "(?:.*/)?(.*)"$', golden, re.MULTILINE))
    shown |= set(re.findall(r'^format = "(.*)/', golden, re.MULTILINE))

    assert sorted(set(names_of(LINE_RULES)) - shown) == []
    assert {"json", "general"} <= shown


def test_formats_page_is_written_by_its_command() -> None:
    """docs/formats.md is what `python -m benchmarks.formats` makes of the golden lines."""
    assert (ROOT / "docs/formats.md").read_text(encoding="utf-8") == page_of(ROOT / "tests/parse/golden")
