"""Large documents as objects in an S3-compatible store: PREFIX/DAY/DIGEST.

Each is written once, by one conditional PUT (If-None-Match), whole or not at all: no multipart
upload, of which a crash would leave parts that nobody sees (decision 90). obstore does signing,
connections and retries; its texts quote the request, so that only the store's error code is told.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openpoort.domain.octets import PIECE, Octets
from openpoort.store.payloads.payloads import (
    OWNER,
    Key,
    PayloadMissing,
    PayloadUnavailable,
    intact,
    named,
)
from openpoort.store.payloads.spool import Spooled
from openpoort.telemetry import logger

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config, S3Store

_RETRIES = 2
_CONNECT = timedelta(seconds=2)
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_log = logger("store")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where it is and who we are there. `ca` is PEM, beside the roots of the system; `timeout`
    in seconds, for one request."""

    endpoint: str
    bucket: str
    key_id: str = field(repr=False)
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    region: str = "us-east-1"
    prefix: str = ""
    path_style: bool = True
    ca: bytes = b""
    timeout: float = 30.0


class S3:
    """Make it in the process that uses it: its threads do not live through a fork.

    After a failure every call is refused at once for `pause` seconds, so that a store that does
    not answer holds up nothing else. What is fetched goes to files without a name in `spool`.
    """

    def __init__(self, place: str, bucket: Bucket, spool: Path, pause: float = 5.0) -> None:
        from obstore.store import S3Store

        self.place = place
        self._spool, self._pause = spool, pause
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._shut_until = 0.0
        self._bucket: S3Store = S3Store(
            bucket.bucket,
            prefix=bucket.prefix or None,
            config=_config(bucket),
            client_options=_client(bucket),
            retry_config={
                "max_retries": _RETRIES,
                "retry_timeout": timedelta(seconds=bucket.timeout),
                "backoff": {"max_backoff": timedelta(seconds=1)},
            },
        )

    def put(self, key: Key, body: Octets) -> None:
        from obstore.exceptions import BaseError

        name, body = _name(key), bytes(body)  # one PUT holds it whole, and may have to repeat it
        with self._reachable():
            try:
                self._bucket.put(name, body, mode="create", use_multipart=False)
                return
            except BaseError as wrong:
                # It stands there: of a repeat, or of our own try whose answer got lost. A store
                # may also say so and hang up on a large body, and then we see only that.
                why = _code(wrong) or _kind(wrong)
            try:
                self._read(key)
            except PayloadMissing:
                _log.warning("payload_put_again", place=self.place, reason=why)
                self._bucket.put(name, body, mode="overwrite", use_multipart=False)

    def get(self, key: Key) -> Spooled:
        with self._reachable():
            return self._read(key)

    def _read(self, key: Key) -> Spooled:
        try:
            found = self._bucket.get(_name(key))
        except FileNotFoundError as none:
            if _code(none) != "NoSuchKey":  # a bucket or an account that is not there, say
                raise
            raise PayloadMissing(f"no object for payload {key[1].hex()} in {self.place}") from None
        body = Spooled(self._spool)
        for piece in found.stream(PIECE):
            body.append(piece)
        return intact(body, key[1], self.place)

    def old(self, before: datetime) -> Iterable[Key]:
        with self._reachable():
            for some in self._bucket.list():
                for one in some:
                    key = named(one["path"])
                    if key and key[0] < before.date() and one["last_modified"] < before:
                        yield key

    def remove(self, keys: Sequence[Key]) -> None:
        with self._reachable():
            self._bucket.delete([_name(key) for key in keys])

    def owner(self, claim: str) -> str:
        from obstore.exceptions import AlreadyExistsError

        with self._reachable():
            try:
                self._bucket.put(OWNER, claim.encode(), mode="create", use_multipart=False)
            except AlreadyExistsError:
                return self._bucket.get(OWNER).bytes().to_bytes().decode(errors="replace")
        return claim

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        """Whatever goes wrong over there is PayloadUnavailable here, with a reason that holds no
        secret."""
        from obstore.exceptions import BaseError

        if time.monotonic() < self._shut_until:
            raise PayloadUnavailable(self.place, "failed a moment ago")
        try:
            yield
        except (BaseError, OSError) as wrong:
            self._shut_until = time.monotonic() + self._pause
            why = _code(wrong) or _kind(wrong)
            _log.error("payload_store_unavailable", place=self.place, reason=why)
            raise PayloadUnavailable(self.place, why) from None


def _name(key: Key) -> str:
    return f"{key[0].isoformat()}/{key[1].hex()}"


def _config(bucket: Bucket) -> S3Config:
    endpoint = bucket.endpoint.rstrip("/")
    if not bucket.path_style:
        parts = urlsplit(endpoint)
        endpoint = f"{parts.scheme}://{bucket.bucket}.{parts.netloc}"
    config: S3Config = {
        "endpoint": endpoint,
        "region": bucket.region,
        "access_key_id": bucket.key_id,
        "secret_access_key": bucket.secret,
        "virtual_hosted_style_request": not bucket.path_style,
        # The store compares what arrived with it before it says yes.
        "checksum_algorithm": "SHA256",
    }
    if bucket.token:
        config["session_token"] = bucket.token
    return config


def _client(bucket: Bucket) -> ClientConfig:
    options: ClientConfig = {
        "allow_http": bucket.endpoint.startswith("http://"),
        "connect_timeout": _CONNECT,
        "timeout": timedelta(seconds=bucket.timeout),
    }
    if bucket.ca:
        options["root_certificate"] = bucket.ca
    return options


def _code(error: Exception) -> str:
    """The store's own word, such as NoSuchBucket; empty when it said none."""
    found = _CODE.search(str(error))
    return found[1] if found else ""


def _kind(error: Exception) -> str:
    """The end of the first line, such as `HTTP error: error sending request`."""
    first = str(error).partition("\n")[0]
    return first.rpartition(" - ")[2][:120] or type(error).__name__
