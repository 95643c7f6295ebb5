"""`balance`: close the books of a day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openpoort.cli.home import fail, settings

if TYPE_CHECKING:
    from openpoort.app.balance import Closing


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[HOME] DATE")
@click.option("--home", type=click.Path(path_type=Path), envvar="OPENPOORT_HOME")
@click.option("--agency", help="Only this agency [default: every one].")
@click.option(
    "--list", "lists", multiple=True, metavar="AGENCY=FILE",
    help="An agency's receipt list (CSV: kenmerk, digest, ontvangen) [default: a demo agency's].",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def balance(
    words: tuple[str, ...],
    home: Path | None,
    agency: str | None,
    lists: tuple[str, ...],
    as_json: bool,
) -> None:
    """Accepted = delivered + rejected + waiting + parked, for the messages of DATE (UTC).

    Compares with the journal and with the agencies' own lists, names what differs, signs the
    result with the checkpoint key. Exit code 0: it balances; 1: something differs; 2: could not.
    """
    import psycopg

    from openpoort.app import proofs
    from openpoort.app.balance import close_day
    from openpoort.app.database import database
    from openpoort.cli import acts
    from openpoort.keys.checkpoint import BadKey
    from openpoort.store.postgres.embedded import ServerFailed

    if len(words) > 2:
        fail("say HOME and DATE")
    chosen = settings(Path(words[0]) if len(words) == 2 else home or Path("openpoort-home"))
    try:
        day = date.fromisoformat(words[-1])
        if day > datetime.now(UTC).date():
            fail(f"{day} has not come yet: a day has a closing balance when it has begun")
        files = {name: Path(path) for name, _, path in (one.partition("=") for one in lists)}
        acts.security_log(chosen)
        with database(chosen) as dsn:
            found = close_day(chosen, dsn, day, agency, files, acts.who())
        holds = not found.differences and all(one.holds for one in found.books)
        if agency is None:  # a day is closed when every agency is
            record = {"at": datetime.now(UTC).isoformat(), "day": str(day), "holds": holds}
            proofs.note(proofs.closing(chosen.home), record)
    except (ValueError, LookupError, BadKey, OSError, psycopg.Error, ServerFailed) as exc:
        fail(str(exc))
    result = "failed" if found.differences else "ok"
    acts.emit("balance.closed", str(day), result, differences=len(found.differences))
    _show(found, found.note, as_json)
    raise SystemExit(1 if found.differences else 0)


def _show(found: Closing, note: str, as_json: bool) -> None:
    if not as_json:
        click.echo(note, nl=False)
        return
    whole = found.whole.record() if found.whole else {}
    record = {
        **whole,
        "holds": all(one.holds for one in found.books),
        "agencies": {one.agency: one.record() for one in found.agencies},
        "differences": [{"kenmerk": k, "what": what} for k, what in found.differences],
        "note": note,
    }
    click.echo(json.dumps(record, ensure_ascii=False))
