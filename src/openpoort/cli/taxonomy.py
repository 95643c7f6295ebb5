"""`openpoort taxonomy`: taxonomies of this installation. Nothing is fetched, ever."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from openpoort.checks.taxonomies.installed import Installed
from openpoort.checks.taxonomies.package import PackageRefused, open_package
from openpoort.checks.taxonomies.registry import Registry
from openpoort.checks.xbrl.verify import verify
from openpoort.cli.home import fail, home_first, home_option, home_there
from openpoort.cli.lines import json_option, said
from openpoort.process.flow.kinds import KindError, load

_PACKAGE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def taxonomy() -> None:
    """Add, list, show, remove and check taxonomy packages."""


@taxonomy.command()
@click.argument("packages", metavar="PACKAGE.zip...", nargs=-1, required=True, type=_PACKAGE)
@click.option("--name", help="Name here; default: the name of the file.")
@click.option("--rules", multiple=True, help="Rule sets: kvk. Default: by the address.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND=ENTRYPOINT")
@click.option("--unverified", is_flag=True, help="Skip the reference processor's judgement.")
@click.option("--json", "as_json", is_flag=True)
@home_option
def add(
    packages: tuple[Path, ...],
    name: str | None,
    rules: tuple[str, ...],
    kinds: tuple[str, ...],
    unverified: bool,
    as_json: bool,
    home: Path,
) -> None:
    """Verify PACKAGE.zip once and install it; further packages are what it needs.

    Exit code 0: installed; 1: refused, with all reasons.
    """
    try:
        with _telling() as tell:
            added = Registry(home).add(
                packages,
                name=name,
                rules=rules or None,
                kinds=_mapping(kinds),
                verify=None if unverified else verify,
                progress=tell,
            )
    except PackageRefused as refused:
        _refuse(refused.reasons, as_json)
    except OSError as wrong:
        fail(f"cannot install in {home}: {wrong.strerror}")
    takers = _takers(added, home)
    if as_json:
        click.echo(json.dumps({"added": True} | _value(added) | {"taken": takers}))
        return
    click.echo(f"added {added.name}: {added.title}, {len(added.entries)} entry points")
    for entry, names in takers.items():
        who = ", ".join(names) or f"no kind yet; name one with --kind KIND={entry}"
        click.echo(f"  {entry}\n    used by {who}")
    _unchecked(added)
    for code, count in sorted(added.notes.items()):
        click.echo(f"  the processor remarks {code} ({count} times); not the filer's fault")


def _unchecked(one: Installed) -> None:
    for name, count in one.unchecked.items():
        click.echo(f"  {count} relationships {name}: not checked here")


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """What is being done: one line that changes on a terminal, a line each elsewhere."""
    console = Console(stderr=True, soft_wrap=True)
    if not console.is_terminal:
        yield lambda text: click.echo(text, err=True)
        return
    with console.status("opening") as status:
        yield status.update


def _takers(added: Installed, home: Path) -> dict[str, list[str]]:
    """Entry point -> the kinds of this installation that take it."""
    try:
        kinds = load(home / "kinds")
    except KindError as wrong:
        fail(str(wrong))
    return {
        entry: [
            name
            for name, kind in sorted(kinds.items())
            if any(fnmatchcase(entry, pattern) for pattern in kind.entrypoints)
            or (not kind.entrypoints and entry in added.kinds.get(name, ()))
        ]
        for entry in sorted(added.entries)
    }


def _refuse(reasons: Sequence[str], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"added": False, "reasons": list(reasons)}))
    for reason in reasons:
        click.echo(f"refused: {reason}", err=True)
    raise SystemExit(1)


def _mapping(kinds: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in kinds:
        kind, _, entry = text.partition("=")
        if not entry:
            fail("--kind is KIND=ENTRYPOINT")
        found.setdefault(kind, []).append(entry)
    return found


@taxonomy.command("list")
@json_option
@home_first
@home_option
def list_(as_json: bool, home: Path) -> None:
    """The installed taxonomies."""
    home_there(home)
    known = _all(home)
    if as_json:
        click.echo(json.dumps({"taxonomies": [_value(t) for t in known]}))
        return
    table = Table("name", "title", "version", "entry points", "kinds")
    for one in known:
        kinds = ", ".join(sorted(one.kinds))
        table.add_row(one.name, one.title, one.version, str(len(one.entries)), kinds)
    Console().print(table)


@taxonomy.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True)
@home_option
def show(name: str, as_json: bool, home: Path) -> None:
    """Entry points, kinds and remarks of one taxonomy."""
    one = _get(home, name)
    if as_json:
        click.echo(json.dumps(_value(one)))
        return
    click.echo(f"{one.name}: {one.title} {one.version}\nsha256 {one.digest}")
    for entry in sorted(one.entries):
        kinds = ", ".join(k for k, es in sorted(one.kinds.items()) if entry in es) or "-"
        concepts = one.outline(entry).concepts.values()
        shown = sum(c.presented for c in concepts)
        rules = " rules of KvK" if one.kvk(entry) else ""
        click.echo(f"  {entry}\n    kinds {kinds}; {shown} of {len(concepts)} concepts{rules}")
    _unchecked(one)
    for code, count in sorted(one.notes.items()):
        click.echo(f"  remark {code}: {count} times")


@taxonomy.command()
@click.argument("name")
@json_option
@home_option
def remove(name: str, home: Path, as_json: bool) -> None:
    """Take one taxonomy away. Filings that need it are refused from then on."""
    _get(home, name)
    Registry(home).remove(name)
    said(as_json, f"removed {name}", removed=name)


@taxonomy.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True)
@home_option
def check(name: str | None, as_json: bool, home: Path) -> None:
    """Verify installed taxonomies again: files as added, complete, loadable.

    Exit code 0: all good; 1: something is wrong.
    """
    home_there(home)
    chosen = [_get(home, name)] if name else _all(home)
    wrong = {one.name: _problems(one) for one in chosen}
    if as_json:
        click.echo(json.dumps({"good": not any(wrong.values()), "problems": wrong}))
    else:
        for key, problems in wrong.items():
            click.echo(f"{key}: {'good' if not problems else ''}")
            for problem in problems:
                click.echo(f"  {problem}")
    raise SystemExit(int(any(wrong.values())))


def _problems(one: Installed) -> list[str]:
    try:
        open_package(one.packages[0]).close()
    except (PackageRefused, IndexError) as refused:
        return getattr(refused, "reasons", ["the package is gone"])
    if one.changed():
        return ["the package is not the one that was added"]
    found = []
    for entry in sorted(one.entries):
        found += [f"{entry}: {reason}" for reason in verify(one.packages, entry)[0]]
    return found


def _all(home: Path) -> list[Installed]:
    try:
        return Registry(home).all()
    except (OSError, ValueError, TypeError) as wrong:
        fail(f"taxonomies in {home} cannot be read: {wrong}")


def _get(home: Path, name: str) -> Installed:
    home_there(home)
    found = [one for one in _all(home) if one.name == name]
    if not found:
        fail(f"no taxonomy {name} in {home}")
    return found[0]


def _value(one: Installed) -> dict[str, object]:
    return {
        "name": one.name,
        "title": one.title,
        "version": one.version,
        "sha256": one.digest,
        "entrypoints": sorted(one.entries),
        "kinds": dict(one.kinds),
        "remarks": dict(one.notes),
        "unchecked": dict(one.unchecked),
    }
