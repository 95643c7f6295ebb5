"""The places of large documents that the settings name, the one for new ones first."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping

from cryptography.x509 import load_pem_x509_certificates

from openpoort.settings import S3Place, Settings
from openpoort.store.payloads.folder import Folder
from openpoort.store.payloads.payloads import PayloadStore
from openpoort.store.payloads.s3 import S3, Bucket


class PlaceError(OSError):
    """A place cannot be opened as set up; the message says what to change."""


def places(
    settings: Settings, environment: Mapping[str, str] = os.environ
) -> tuple[PayloadStore, ...]:
    """Opens no connection. In the process that uses them, not before a fork. Raises PlaceError."""
    found: list[PayloadStore] = [Folder(settings.home / "payloads")]
    found += [_bucket(settings, one, environment) for one in settings.payloads.s3]
    return tuple(sorted(found, key=lambda one: one.place != settings.payloads.to))


def preflight(settings: Settings, environment: Mapping[str, str] = os.environ) -> None:
    """Read what `places` will read. Raises PlaceError."""
    for one in settings.payloads.s3:
        _access(settings, one, environment)


def _bucket(settings: Settings, one: S3Place, environment: Mapping[str, str]) -> S3:
    try:
        return S3(one.name, _access(settings, one, environment), settings.home / "run")
    except ModuleNotFoundError:
        raise PlaceError(
            f"payloads.s3 {one.name}: obstore is not installed; install openpoort[s3]"
        ) from None


def _access(settings: Settings, one: S3Place, environment: Mapping[str, str]) -> Bucket:
    keys = _keys(settings, one, environment)
    try:
        ca = settings.path(one.ca).read_bytes() if one.ca else b""
        if one.ca:
            load_pem_x509_certificates(ca)
    except OSError as wrong:
        raise PlaceError(f"payloads.s3 {one.name}: ca {one.ca}: {wrong.strerror}") from None
    except ValueError:
        raise PlaceError(f"payloads.s3 {one.name}: ca {one.ca} holds no certificate") from None
    return Bucket(
        endpoint=one.endpoint, bucket=one.bucket, region=one.region, prefix=one.prefix,
        path_style=one.path_style, ca=ca, timeout=one.timeout_seconds,
        key_id=keys["access_key_id"], secret=keys["secret_access_key"],
        token=keys.get("session_token", ""),
    )  # fmt: skip


def _keys(settings: Settings, one: S3Place, environment: Mapping[str, str]) -> dict[str, str]:
    where = f"payloads.s3 {one.name}"
    names = ("access_key_id", "secret_access_key", "session_token")
    if not one.credentials:
        keys = {
            n: environment[f"AWS_{n.upper()}"] for n in names if f"AWS_{n.upper()}" in environment
        }
        missing = "name a file in `credentials`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    else:
        try:
            text = settings.path(one.credentials).read_text(encoding="utf-8")
            keys = {n: str(value) for n, value in tomllib.loads(text).items() if n in names}
        except OSError as wrong:
            raise PlaceError(f"{where}: {one.credentials}: {wrong.strerror}") from None
        except ValueError:  # whose text may quote the secret
            raise PlaceError(f"{where}: {one.credentials} is not TOML in UTF-8") from None
        missing = f"{one.credentials} needs access_key_id and secret_access_key"
    if not (keys.get("access_key_id") and keys.get("secret_access_key")):
        raise PlaceError(f"{where}: {missing}")
    return keys
