"""`send`, `status` and `fetch`: what a company does with a gateway, over the network."""

from __future__ import annotations

import hashlib
import mimetypes
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from openpoort.cli.connection import HOME, PATH, connection, last_line, options, stop
from openpoort.cli.follow import GOOD, as_dict, follow, table, wide
from openpoort.client.wus import Client
from openpoort.domain.ids import Identiteit
from openpoort.domain.kind import StepKind
from openpoort.domain.message import (
    MAX_DOCUMENT,
    Aanlevering,
    Bericht,
    Document,
    Operatie,
    Proces,
    Vraag,
)
from openpoort.domain.octets import sha256
from openpoort.domain.status import Status
from openpoort.outbound.exchange import BadAnswer, Faulted
from openpoort.outbound.http import NoAnswer
from openpoort.process.flow import kinds

NO_AUSP = "http://geenausp.nl"


class Identity(click.ParamType[Identiteit]):
    """`TYPE:NUMBER`, such as BTW:001000044B37."""

    name = "TYPE:NUMBER"

    def convert(self, value: Any, param: Any, ctx: Any) -> Identiteit:
        kind, colon, number = str(value).partition(":")
        if not (kind and colon and number):
            self.fail(f"{value} is not TYPE:NUMBER, such as BTW:001000044B37", param, ctx)
        return Identiteit(number, kind)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="[HOME] FILE", type=click.Path())
@click.option("--berichtsoort", required=True, help="Kind of message, such as Omzetbelasting.")
@click.option("--belanghebbende", required=True, type=Identity(), help="BTW:001000044B37")
@click.option("--bijlage", multiple=True, type=PATH, help="Attachment; may be repeated.")
@click.option("--aanleverkenmerk", help="Your own reference (at most 40 characters).")
@click.option("--rol", help="Bedrijf or Intermediair [default: by --as].")
@click.option("--message-id", help="wsa:MessageID; repeat with the same one after a failure.")
@click.option("--follow", "following", is_flag=True, help="Show statuses until the end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@options
def send(
    paths: tuple[str, ...],
    berichtsoort: str,
    belanghebbende: Identiteit,
    bijlage: tuple[Path, ...],
    aanleverkenmerk: str | None,
    rol: str | None,
    message_id: str | None,
    following: bool,
    as_json: bool,
    home_option: Path | None,
    **given: Any,
) -> None:
    """Hand in FILE as a company does, and verify the signed answer.

    Exit code 0: accepted (with --follow: and ended well); 1: refused; 2: could not.
    """
    home, file = _home_and_file(paths, home_option)
    place = connection(home, **given)
    aanlevering = Aanlevering(
        berichtsoort=berichtsoort,
        belanghebbende=belanghebbende,
        rol_belanghebbende=rol or _rol(given["actor"]),
        inhoud=_document(file),
        bijlagen=tuple(_document(path) for path in bijlage),
        aanleverkenmerk=aanleverkenmerk,
        autorisatie_adres=NO_AUSP,
    )
    console = Console(stderr=as_json)
    message_id = message_id or f"urn:uuid:{uuid.uuid4()}"
    with place.client() as client, _explained(as_json, message_id):
        answer = client.aanleveren(aanlevering, message_id)
        if not as_json:
            console.print(f"kenmerk {answer.kenmerk}", highlight=False)
        ends = _ends_at_400(home, berichtsoort) if following else None
        statuses = _statuses(client, answer.kenmerk, following, console, ends)
    last = statuses[-1].statuscode if statuses else None
    if as_json:
        last_line(
            {
                "kenmerk": answer.kenmerk,
                "statuscode": last,
                "aanleverkenmerk": answer.aanleverkenmerk,
                "tijdstempelAangeleverd": answer.tijdstempel_aangeleverd.isoformat(),
                "messageId": message_id,
                "sha256": sha256(aanlevering.inhoud.inhoud).hex(),
                "statussen": [as_dict(status) for status in statuses],
            }
        )
    raise SystemExit(0 if not following or last in GOOD else 1)


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[HOME] KENMERK")
@click.option("--new", "only_new", is_flag=True, help="Only what was not asked before.")
@click.option("--follow", "following", is_flag=True, help="Show statuses until the end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@options
def status(
    words: tuple[str, ...],
    only_new: bool,
    following: bool,
    as_json: bool,
    home_option: Path | None,
    **given: Any,
) -> None:
    """Show the statuses of one process.

    Exit code 0: known and not ended badly; 1: ended badly or refused; 2: could not.
    """
    home, kenmerk = _home_and_word(words, home_option)
    place = connection(home, **given)
    console = Console(stderr=as_json)
    with place.client() as client, _explained(as_json):
        if only_new:
            question = Vraag(Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk)
            items = client.vraag(question).items
            statuses = tuple(item for item in items if isinstance(item, Status))
        elif following:
            statuses = follow(lambda: client.statussen(kenmerk), console)
        else:
            statuses = client.statussen(kenmerk)
    last = statuses[-1] if statuses else None
    if as_json:
        last_line(
            {
                "kenmerk": kenmerk,
                "statuscode": last.statuscode if last else None,
                "statussen": [as_dict(item) for item in statuses],
            }
        )
    elif not (following and console.is_terminal):
        wide().print(table(statuses, kenmerk))
    raise SystemExit(1 if last and last.fout is not None else 0)


@click.command()
@click.argument("words", nargs=-1, metavar="[HOME]")
@click.option("--new", "only_new", is_flag=True, help="Only what was not fetched before.")
@click.option("--out", type=HOME, help="Folder for the files [default: HOME/fetched].")
@click.option("--berichtsoort", help="Only this kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@options
def fetch(
    words: tuple[str, ...],
    only_new: bool,
    out: Path | None,
    berichtsoort: str | None,
    as_json: bool,
    home_option: Path | None,
    **given: Any,
) -> None:
    """Fetch return messages: list them, then take each by its kenmerk, as clients do.

    Exit code 0: done, also when there was nothing; 1: refused; 2: could not.
    """
    if len(words) > 1:
        stop(2, "too many arguments: only HOME")
    home = Path(words[0]) if words else home_option
    place = connection(home, **given)
    out = out or (home or Path()) / "fetched"
    with place.client() as client, _explained(as_json):
        fetched = [_save(bericht, out) for bericht in _berichten(client, only_new, berichtsoort)]
    if as_json:
        last_line({"berichten": fetched})
    else:
        for row in fetched:
            click.echo(f"{row['kenmerk']} {row['berichtsoort']} {row['files'][0]}")
        click.echo(f"{len(fetched)} fetched")


def _berichten(client: Client, only_new: bool, berichtsoort: str | None) -> Iterator[Bericht]:
    operatie = Operatie.NIEUWE_BERICHTEN_LIJST if only_new else Operatie.BERICHTEN_LIJST
    listed = client.vraag(
        Vraag(operatie, berichtsoort=berichtsoort, autorisatie_adres=NO_AUSP)
    ).items
    # Several messages of one process stand in the list once each, and come in one answer.
    for kenmerk in dict.fromkeys(item.kenmerk for item in listed if isinstance(item, Proces)):
        question = Vraag(Operatie.BERICHTEN_KENMERK, kenmerk=kenmerk, autorisatie_adres=NO_AUSP)
        for item in client.vraag(question).items:
            if isinstance(item, Bericht) and berichtsoort in (None, item.berichtsoort):
                yield item


def _save(bericht: Bericht, out: Path) -> dict[str, Any]:
    """Write content and attachments; a sender's file name only lends its safe characters."""
    digest = hashlib.sha256(bericht.berichtkenmerk.encode()).hexdigest()[:8]
    folder = out / bericht.kenmerk
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, document in enumerate((bericht.inhoud, *bericht.bijlagen)):
        name = re.sub(r"[^A-Za-z0-9._-]", "_", document.bestandsnaam).lstrip(".") or "bericht"
        path = folder / f"{digest}-{number}-{name}"
        path.write_bytes(bytes(document.inhoud))
        files.append(str(path))
    return {
        "kenmerk": bericht.kenmerk,
        "berichtsoort": bericht.berichtsoort,
        "berichtkenmerk": bericht.berichtkenmerk,
        "eerderAanleverkenmerk": bericht.eerder_aanleverkenmerk,
        "files": files,
    }


def _statuses(
    client: Client, kenmerk: str, following: bool, console: Console, ends_at_400: bool | None
) -> tuple[Status, ...]:
    if following:
        return follow(lambda: client.statussen(kenmerk), console, ends_at_400=ends_at_400)
    try:
        return client.statussen(kenmerk)
    except (NoAnswer, Faulted, BadAnswer) as error:
        # It was accepted; that its statuses cannot be read does not undo that.
        click.echo(f"accepted, but statuses cannot be read: {error}", err=True)
        return ()


def _ends_at_400(home: Path | None, berichtsoort: str) -> bool | None:
    """Whether nothing follows a delivery of this kind; None if this machine does not know it."""
    folder = home / "kinds" if home is not None and (home / "kinds").is_dir() else None
    try:
        kind = kinds.load(folder).get(berichtsoort)
    except kinds.KindError:
        return None
    return None if kind is None else all(step.kind is not StepKind.REPORT for step in kind.steps)


@contextmanager
def _explained(as_json: bool, message_id: str | None = None) -> Iterator[None]:
    """Faults and failures as a sentence, an exit code and, when asked, JSON."""
    try:
        yield
    except Faulted as fault:
        if as_json:
            fout = fault.fout
            last_line(
                {
                    "kenmerk": None,
                    "statuscode": None,
                    "foutcode": fout.foutcode if fout else None,
                    "foutbeschrijving": fout.foutbeschrijving if fout else fault.faultstring,
                }
            )
        stop(1, f"refused: {fault}")
    except ValueError as error:  # what was asked cannot be written down
        stop(2, str(error))
    except (NoAnswer, BadAnswer) as error:
        if as_json:
            last_line({"kenmerk": None, "statuscode": None, "error": str(error)})
        again = f"\nit may have arrived; repeat with --message-id {message_id}"
        stop(2, str(error) + (again if message_id and isinstance(error, NoAnswer) else ""))


def _home_and_file(paths: tuple[str, ...], home: Path | None) -> tuple[Path | None, Path]:
    found, name = _home_and_word(paths, home)
    file = Path(name)
    if not file.is_file():
        stop(2, f"{file} is no file")
    return found, file


def _home_and_word(words: tuple[str, ...], home: Path | None) -> tuple[Path | None, str]:
    if len(words) > 2:
        stop(2, "too many arguments: HOME and one more")
    return (Path(words[0]), words[1]) if len(words) == 2 else (home, words[0])


def _rol(actor: str) -> str:
    return "Intermediair" if actor == "intermediair" else "Bedrijf"


def _document(path: Path) -> Document:
    content = path.read_bytes()
    if len(content) > MAX_DOCUMENT:
        stop(2, f"{path} is larger than {MAX_DOCUMENT} bytes")
    kind = mimetypes.guess_type(path.name)[0]
    if path.suffix.lower() in {".xbrl", ".xml"} or kind is None:
        kind = "application/xml"
    return Document(kind, path.name[-80:], content)
