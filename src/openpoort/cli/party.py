"""`openpoort party`: who may do what for whom; shown, changed by file, with four eyes if asked."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import psycopg

from openpoort.cli import acts
from openpoort.cli.home import fail, home_first, home_option, settings
from openpoort.cli.lines import said
from openpoort.domain import names, partyadvice, partyfile
from openpoort.domain.event import OK, REFUSED, Event
from openpoort.domain.party import Directory
from openpoort.domain.partydiff import compare, told
from openpoort.domain.partyfile import BadDirectory
from openpoort.domain.seal import Seal
from openpoort.keys.checkpoint import BadKey
from openpoort.process.flow import kinds
from openpoort.settings import Settings
from openpoort.store.directory import directory, proposals
from openpoort.store.directory.proposals import NotAllowed


def _who(_: click.Context, __: click.Parameter, value: str | None) -> str:
    try:
        return names.given(getpass.getuser() if value is None else value)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from None


_as = click.option(
    "--as", "who", callback=_who, help="Who does this, for the journal (default: your login name)."
)
_full = click.option("--full", is_flag=True, help="Numbers of interested parties in full.")
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")


@click.group()
def party() -> None:
    """Parties, agreements, mandates and agencies."""


@party.command()
@click.argument("what", required=False, metavar="[OIN | HOME]")
@home_option
@_json
def show(what: str | None, home: Path, as_json: bool) -> None:
    """The directory as a file for `party apply`; with OIN only what concerns that party.

    Numbers of interested parties are shown in full: mind where you put this.
    """
    oin = what if what is not None and what.isdigit() else None
    if what is not None and oin is None:
        home = Path(what)
    with _connected(settings(home)) as conn:
        known, version = directory.load(conn), directory.version(conn)
    if oin is not None:
        known = _concerning(known, oin)
        if not (known.parties or known.mandates or known.agencies):
            fail(f"nobody here has OIN {oin}", 1)
    text = partyfile.write(known)
    if as_json:
        click.echo(json.dumps({"version": version, "directory": text}, ensure_ascii=False))
    elif oin is not None:
        click.echo(partyfile.part(text, oin, version), nl=False)
    else:
        click.echo(partyfile.headed(text, version), nl=False)


@party.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@home_option
@click.option("--dry-run", is_flag=True, help="Show what would change and change nothing.")
@click.option("--propose", is_flag=True, help="Let somebody else approve it first.")
@click.option("--remove-all", is_flag=True, help="Also when no party, or no agency, is left.")
@_full
@_as
@_json
def apply(
    file: Path, home: Path, dry_run: bool, propose: bool, remove_all: bool, full: bool, who: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Make the directory equal to FILE. Shows the differences; each is journalled.

    What FILE does not name is removed. A FILE that `party show` wrote says from which version:
    it is refused when somebody changed the directory since (exit code 1), and gets the new
    version when it was applied. With `four_eyes` in the settings this only proposes.
    """
    config = settings(home)
    try:
        text = file.read_text(encoding="utf-8")
        new, base = partyfile.read(text), partyfile.version(text)
        if partyfile.partial(text):
            raise BadDirectory("a part of the directory: applied, it would remove all the rest")
    except (BadDirectory, UnicodeDecodeError) as wrong:
        fail(f"{file}: {wrong}")
    number: int | None = None
    seal = _seal(config)
    with _connected(config) as conn:
        old = directory.load(conn)
        _acceptable(config, file, old, new, remove_all)
        try:
            if dry_run:
                directory.current(conn, base)
                diff = compare(old, new)
            elif propose or config.parties.four_eyes:
                number, diff = proposals.propose(conn, new, who, _now(), base, seal)
            else:
                diff = directory.apply(conn, new, who, _now(), base, seal)
        except directory.Stale as stale:
            fail(f"{file}: {stale}; run `openpoort party show` and make the change in that", 1)
        version = directory.version(conn)
        conn.commit()
    if diff and not dry_run:
        _tell("party.changed" if number is None else "party.proposed", version, who, new)
    if diff and base is not None and not dry_run and number is None:
        _brought_up(file, text, version)
    lines = [told(change, old, new, full=full) for change in diff.changes]
    loose = partyadvice.loose(new, _now())
    _show(lines, as_json, version=version, applied=not dry_run and number is None,
          proposal=number, warnings=loose)  # fmt: skip
    if number is not None and not as_json:
        click.echo(f"proposal {number}: somebody else runs `openpoort party approve {number}`")


def _acceptable(
    config: Settings, file: Path, old: Directory, new: Directory, remove_all: bool
) -> None:
    """Ends the command, with exit code 2, for what cannot be meant."""
    try:
        words = partyadvice.Words.of(kinds.load(config.home / "kinds"))
    except kinds.KindError as wrong:
        fail(str(wrong))
    diff = compare(old, new)
    if partyadvice.removes_all(diff, old, new) and not remove_all:
        fail(f"{file} leaves no party, or no agency: give --remove-all when that is meant")
    if not (new.parties or new.agencies or remove_all):
        fail(f"{file} names nobody: give --remove-all when that is meant")
    wrong_words = partyadvice.unknown(diff, new, words)
    if wrong_words:
        fail("\n".join([f"{file}: nothing was changed", *wrong_words]))


def _brought_up(file: Path, text: str, version: int) -> None:
    """The file is what stands here now: it says so, and can be changed and applied again."""
    try:
        file.write_text(partyfile.headed(text, version), encoding="utf-8")
    except OSError as wrong:
        click.echo(
            f"{file}: cannot be written ({wrong.strerror}); its version is {version} now", err=True
        )


@party.command()
@home_first
@home_option
@_full
@_json
def pending(home: Path, full: bool, as_json: bool) -> None:
    """Proposals that wait for a second pair of eyes, with what they would change."""
    with _connected(settings(home)) as conn:
        known = directory.load(conn)
        waiting = proposals.open_ones(conn)
    changes = {
        p.id: [told(c, known, p.content, full=full) for c in compare(known, p.content).changes]
        for p in waiting
    }
    if as_json:
        rows = [
            {
                "proposal": p.id,
                "by": p.proposed_by,
                "at": p.proposed_at.isoformat(),
                "changes": changes[p.id],
                "warnings": partyadvice.loose(p.content, _now()),
            }
            for p in waiting
        ]
        click.echo(json.dumps({"pending": rows}, ensure_ascii=False))
        return
    for proposal in waiting:
        click.echo(f"proposal {proposal.id} by {proposal.proposed_by}")
        for line in changes[proposal.id]:
            click.echo(f"  {line}")
        for line in partyadvice.loose(proposal.content, _now()):
            click.echo(f"  ! {line}")
    if not waiting:
        click.echo("nothing waits")


@party.command()
@click.argument("number", type=int)
@home_option
@_as
@_json
def approve(number: int, home: Path, who: str, as_json: bool) -> None:
    """Apply proposal NUMBER; not by whoever made it. Exit code 1 when that is refused."""
    config = settings(home)
    seal = _seal(config)
    with _connected(config) as conn:
        old = directory.load(conn)
        try:
            proposal, diff = proposals.approve(conn, number, who, _now(), seal)
        except NotAllowed as no:
            conn.rollback()
            _emit("party.changed", directory.version(conn), who, REFUSED, {})
            fail(str(no), 1)
        version = directory.version(conn)
        conn.commit()
    _tell("party.changed", version, proposal.proposed_by, proposal.content, second=who)
    lines = [told(change, old, proposal.content) for change in diff.changes]
    _show(lines, as_json, version=version, applied=True, proposal=number,
          warnings=partyadvice.loose(proposal.content, _now()))  # fmt: skip


@party.command()
@click.argument("number", type=int)
@home_option
@_as
@_json
def reject(number: int, home: Path, who: str, as_json: bool) -> None:
    """Close proposal NUMBER without applying it."""
    config = settings(home)
    seal = _seal(config)
    with _connected(config) as conn:
        try:
            proposals.reject(conn, number, who, _now(), seal)
        except NotAllowed as no:
            fail(str(no), 1)
        version = directory.version(conn)
        conn.commit()
    _emit("party.proposed", version, who, REFUSED, {})
    said(as_json, f"proposal {number} rejected", rejected=number)


@party.command()
@home_first
@home_option
@click.option("--days", default=30, show_default=True, help="How far to look back.")
@_json
def algorithms(home: Path, days: int, as_json: bool) -> None:
    """Who still signs with what will end (SHA-1): the list to call."""
    from openpoort.store.directory import revocation

    with _connected(settings(home)) as conn:
        known = directory.load(conn)
        found = revocation.uses(conn, (_now() - timedelta(days=days)).date())
    rows = [
        {
            "oin": use.oin.value,
            "name": known_party.name if (known_party := known.party(use.oin)) else "",
            "algorithm": use.algorithm,
            "messages": use.messages,
            "last": use.last_at.isoformat(timespec="seconds"),
        }
        for use in found
    ]
    if as_json:
        click.echo(json.dumps({"days": days, "uses": rows}, ensure_ascii=False))
        return
    for row in rows:
        click.echo("{oin}  {name:30}  {algorithm:9} {messages:8}  {last}".format(**row))
    if not rows:
        click.echo(f"nobody in the last {days} days")


@contextmanager
def _connected(config: Settings) -> Iterator[psycopg.Connection[Any]]:
    """An open transaction on the database of HOME; commit is the caller's. Security events go
    where HOME says."""
    from openpoort.app.database import database
    from openpoort.store.postgres.embedded import ServerFailed

    acts.security_log(config)
    try:
        with database(config) as dsn, psycopg.connect(dsn) as conn:
            yield conn
    except (ServerFailed, psycopg.OperationalError) as wrong:
        fail(f"the database cannot be reached: {wrong}")


def _seal(config: Settings) -> Seal:
    try:
        return acts.seal(config)
    except (BadKey, OSError) as wrong:
        fail(str(wrong))


def _concerning(known: Directory, oin: str) -> Directory:
    """The part of the directory in which `oin` appears."""
    mandates = tuple(
        m for m in known.mandates if oin in (m.holder.value, m.giver.value if m.giver else "")
    )
    return Directory(
        tuple(p for p in known.parties if p.oin.value == oin),
        tuple(a for a in known.agreements if a.oin.value == oin),
        mandates,
        tuple(a for a in known.agencies if a.oin.value == oin),
    )


def _show(lines: list[str], as_json: bool, *, warnings: list[str], **more: object) -> None:
    if as_json:
        shown = {"changes": lines, **more, "warnings": warnings}
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    for line in lines:
        click.echo(line)
    for line in warnings:
        click.echo(f"! {line}")
    if not lines:
        click.echo("nothing changes")


def _tell(action: str, version: int, who: str, new: Directory, second: str | None = None) -> None:
    details: dict[str, str | int] = {"change": directory.digest(new)}
    if second is not None:
        details["second"] = second
    _emit(action, version, who, OK, details)


def _emit(action: str, version: int, who: str, result: str, details: dict[str, str | int]) -> None:
    from openpoort import telemetry

    telemetry.emit(Event(action, str(version), result, "local", who, _now(), details))


def _now() -> datetime:
    return datetime.now(UTC)
