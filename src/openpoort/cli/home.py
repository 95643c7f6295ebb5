"""HOME on the command line: first argument or `--home`, and what goes wrong with it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from openpoort.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from openpoort.app.wiring import Parts

F = TypeVar("F", bound=Callable[..., Any])


def home_argument(function: F) -> F:
    """HOME as the first argument, or `--home`, or OPENPOORT_HOME; passes `home: Path`."""
    function = click.option(
        "--home",
        "home_option",
        type=click.Path(path_type=Path),
        envvar="OPENPOORT_HOME",
        help="Folder of the gateway (also: first argument, or OPENPOORT_HOME).",
    )(function)
    return click.argument("home", required=False, type=click.Path(path_type=Path))(function)


def home_option(function: F) -> F:
    """`--home` alone, for commands whose first argument is something else."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path),
        envvar="OPENPOORT_HOME",
        default=Path("openpoort-home"),
        show_default=True,
        help="Folder of the gateway.",
    )(function)


def home_first(function: F) -> F:
    """HOME as the first argument too, for a command that has `--home` and no other argument."""

    @functools.wraps(function)
    def both(*, home_word: Path | None, **given: Any) -> Any:
        return function(**{**given, "home": home_word or given.get("home")})

    word = click.Path(path_type=Path)
    return click.argument("home_word", required=False, metavar="[HOME]", type=word)(both)  # type: ignore[return-value]


def home_taken(function: F) -> F:
    """`--home`, for a command that needs none: scripts give it to every command."""
    path = click.Path(path_type=Path)
    return click.option(
        "--home", type=path, expose_value=False, help="Taken, as by every command."
    )(function)


def chosen(home: Path | None, option: Path | None) -> Path:
    """The HOME meant; the usual one when nobody says."""
    return home or option or Path("openpoort-home")


def home_there(home: Path) -> None:
    """Exit code 2 when HOME is no folder that can be looked into: nothing to judge by."""
    try:
        if home.is_dir():
            next(home.iterdir(), None)
            return
        why = "is no folder" if home.exists() else "is not there"
    except OSError as wrong:
        why = f"cannot be read: {wrong.strerror}"
    fail(f"HOME {home} {why}; make one with `openpoort init {home}`, or give --home")


def settings(home: Path) -> Settings:
    """Settings of HOME; exit code 2 with what to change when they are wrong."""
    try:
        return load(home)
    except SettingsError as wrong:
        fail(str(wrong))


@contextmanager
def at_desk(home: Path) -> Iterator[Parts]:
    """Store and kinds of HOME for a command; exit code 1 when the database cannot be used."""
    import psycopg

    from openpoort.app.desk import desk
    from openpoort.app.places import PlaceError
    from openpoort.process.flow.kinds import KindError
    from openpoort.store.postgres.embedded import ServerFailed

    try:
        with desk(settings(home)) as parts:
            yield parts
    except (KindError, PlaceError) as wrong:
        fail(str(wrong))
    except (ServerFailed, psycopg.OperationalError) as failed:
        fail(str(failed), 1)


def fail(text: str, code: int = 2) -> NoReturn:
    """Say what is wrong on stderr and end with `code`."""
    click.echo(f"openpoort: {text}", err=True)
    raise SystemExit(code)
