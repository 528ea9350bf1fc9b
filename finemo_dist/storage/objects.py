"""Objects on S3 as paths: the one file that imports obstore.

Credentials, endpoint and region come from the environment (``AWS_*`` variables, or the role of the
machine) and are never held, logged or pickled here. What goes wrong is an ``OSError`` that names
the object, as with a file. It is a ``ServiceError`` where the service is at fault, which the
client has asked again by then, or where credentials that were taken before are taken no more.
"""

import errno
import functools
import io
import os
import re
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path, PosixPath
from typing import IO, Any, Final, NoReturn, Self

from finemo_dist.core.errors import ServiceError
from finemo_dist.core.optional import require

SCHEME: Final = "s3://"

_BLOCK_BYTES: Final = 1 << 20
_PIECE_BYTES: Final = 32 << 20
"""Of large objects, which are written in pieces, each a request with a time limit of its own."""
_CONCURRENT_PIECES: Final = 4
_CODE: Final = re.compile(r"<Code>([A-Za-z0-9.]+)</Code>")
_STATUS: Final = re.compile(r"status code: (\d{3} [A-Za-z ]+)")
_TRANSPORT: Final = re.compile(r"HTTP error: ([^\n]+)")
_TROUBLE: Final = re.compile(r"5\d\d |408 |429 ")
"""Statuses of a service that is at fault or overloaded."""
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
_WITHDRAWN: Final = frozenset({"InvalidAccessKeyId", "InvalidToken", "InvalidClientTokenId"})
"""Of a key that was never one, or is none any more."""
_ROLE_ADDRESS: Final = "169.254."
"""Where a machine in a cloud is asked for the credentials of its role."""
_answered: Final[set[str]] = set()
"""Buckets that have answered this process."""


class ObjectPath(PosixPath):
    """An object, or all objects below a prefix, with the part of pathlib's interface that is used.

    There are no folders: making one does nothing, and one is there when something lies below it.
    An operation that only a local disk has, a rename or a library that opens files by name, fails
    with ``TypeError``; `core.locations.local_copy` is for those.
    """

    def __str__(self) -> str:
        return SCHEME + "/".join(self.parts[1:])

    def __repr__(self) -> str:
        return f"ObjectPath({str(self)!r})"

    def __fspath__(self) -> str:
        raise TypeError(f"{self}: is on object storage and has no path on a local disk")

    def __rtruediv__(self, folder: object) -> Self:
        # As with any absolute path, what is to its left does not matter.
        return self

    def __bytes__(self) -> bytes:
        return str(self).encode()

    def as_posix(self) -> str:
        """Return the URL."""
        return str(self)

    def is_absolute(self) -> bool:
        """Return True: a URL depends on no folder."""
        return True

    def absolute(self) -> Self:
        """Return the path itself."""
        return self

    def resolve(self, strict: bool = False) -> Self:  # noqa: FBT001, FBT002  (pathlib's)
        """Return the path itself: objects have no links."""
        return self

    def relative_to(self, *other: str | os.PathLike[str]) -> Path:  # type: ignore[override]
        """Return what is left below another path, as a plain relative path."""
        below = super().relative_to(*other)
        return Path(*below.parts)

    def is_symlink(self) -> bool:
        """Return False."""
        return False

    @property
    def bucket(self) -> str:
        """The bucket."""
        return self.parts[1] if len(self.parts) > 1 else ""

    @property
    def key(self) -> str:
        """The key in the bucket."""
        return "/".join(self.parts[2:])

    def is_file(self) -> bool:
        """Whether there is such an object."""
        try:
            self.head()
        except FileNotFoundError:
            return False
        return True

    def is_dir(self) -> bool:
        """Whether any object lies below."""
        return any(True for _ in self._below())

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Whether there is such an object, or any below."""
        return self.is_file() or self.is_dir()

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return size and time of change of an object; all else is made up."""
        found = self.head()
        time = found["last_modified"].timestamp()
        mode = stat.S_IFREG | 0o600
        return os.stat_result((mode, 0, 0, 1, 0, 0, found["size"], time, time, time))

    def head(self) -> dict[str, Any]:
        """Return what the store knows of an object: ``size``, ``e_tag``, ``last_modified``.

        Raises
        ------
        OSError
            There is no such object, or it cannot be asked.
        """
        with errors_of(self):
            if not self.key:
                raise FileNotFoundError
            try:
                found: dict[str, Any] = _obstore(self).head(_store_of(self), self.key)
            except Exception as error:
                if re.search(r"status code: 40[03] ", str(error)):
                    # The answer to this question has no body, and so does not say why.
                    _obstore(self).get_range(_store_of(self), self.key, start=0, end=1)
                raise
            return found

    def read_bytes(self) -> bytes:
        """Return the whole object."""
        with errors_of(self):
            return bytes(_obstore(self).get(_store_of(self), self.key).bytes())

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Return the whole object as text, by default UTF-8."""
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    def read_tagged(self) -> tuple[bytes, str | None]:
        """Return the whole object and its ETag, of one moment."""
        with errors_of(self):
            found = _obstore(self).get(_store_of(self), self.key)
            return bytes(found.bytes()), found.meta["e_tag"]

    def read_range(self, start: int, end: int, *, e_tag: str | None = None) -> bytes:
        """Return bytes ``start`` to ``end``, of the version ``e_tag`` if given."""
        options: dict[str, Any] = {"range": (start, end)}
        if e_tag is not None:
            options["if_match"] = e_tag
        with errors_of(self):
            return bytes(_obstore(self).get(_store_of(self), self.key, options=options).bytes())

    def open(  # type: ignore[override]
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """Open an object for reading; ranges are fetched as they are asked for."""
        if mode not in {"r", "rt", "rb"}:
            raise io.UnsupportedOperation(f"{self}: objects are written whole, not opened to write")
        size = max(buffering, _BLOCK_BYTES)
        binary = io.BufferedReader(_ObjectReader(self), buffer_size=size)
        if mode == "rb":
            return binary
        return io.TextIOWrapper(binary, encoding or "utf-8", errors, newline)

    def put_file(self, file: Path) -> None:
        """Put a local file there, all or nothing, replacing what exists."""
        with errors_of(self), file.open("rb") as handle:
            _obstore(self).put(
                _store_of(self),
                self.key,
                handle,
                chunk_size=_PIECE_BYTES,
                max_concurrency=_CONCURRENT_PIECES,
            )

    def put_if(self, content: bytes, *, replaces: str | None) -> str | None:
        """Put an object only if what exists there is the version ``replaces``, or nothing (None).

        Returns
        -------
        The ETag of the new version.

        Raises
        ------
        FileExistsError
            Another version exists there: someone else wrote it.
        """
        mode = "create" if replaces is None else {"e_tag": replaces}
        with errors_of(self):
            put = _obstore(self).put(_store_of(self), self.key, content, mode=mode)
            e_tag: str | None = put["e_tag"]
            return e_tag

    def iterdir(self) -> Generator[Self, None, None]:
        """Yield what lies directly below; nothing where nothing does."""
        with errors_of(self):
            found = _obstore(self).list_with_delimiter(_store_of(self), self.key or None)
        names = [*found["common_prefixes"], *(entry["path"] for entry in found["objects"])]
        yield from (self / name.rsplit("/", 1)[-1] for name in names)

    def glob(self, pattern: str, **_: object) -> Iterator[Self]:  # type: ignore[override]
        """Yield the objects below whose path, of as many names as the pattern, matches it."""
        for path in self.below():
            relative = path.relative_to(self)
            if len(relative.parts) == pattern.count("/") + 1 and relative.match(pattern):
                yield path

    def below(self) -> Iterator[Self]:
        """Yield all objects below, at any depth."""
        yield from (type(self)(f"{SCHEME}{self.bucket}/{e['path']}") for e in self._below())

    def sizes(self) -> dict[Path, int]:
        """Return the size of each object below, by one listing."""
        return {type(self)(f"{SCHEME}{self.bucket}/{e['path']}"): e["size"] for e in self._below()}

    def versions(self) -> dict[str, tuple[int, str]]:
        """Return name to size and ETag of the objects directly below, by one listing."""
        with errors_of(self):
            found = _obstore(self).list_with_delimiter(_store_of(self), self.key or None)
        return {
            entry["path"].rsplit("/", 1)[-1]: (entry["size"], str(entry["e_tag"]))
            for entry in found["objects"]
        }

    def unlink(self, missing_ok: bool = True) -> None:  # noqa: FBT001, FBT002  (pathlib's)
        """Remove the object, if there is one."""
        with errors_of(self):
            _obstore(self).delete(_store_of(self), self.key)

    def remove_below(self) -> None:
        """Remove all objects below."""
        keys = [entry["path"] for entry in self._below()]
        if keys:
            with errors_of(self):
                _obstore(self).delete(_store_of(self), keys)

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:  # noqa: FBT001, FBT002  (pathlib's)
        """Do nothing: there are no folders."""

    def rmdir(self) -> None:
        """Do nothing: there are no folders."""

    def _below(self) -> Iterator[dict[str, Any]]:
        with errors_of(self):
            for page in _obstore(self).list(_store_of(self), self.key or None):
                yield from page


class _ObjectReader(io.RawIOBase):
    """Ranges of one version of an object, as a file."""

    def __init__(self, path: ObjectPath) -> None:
        super().__init__()
        self.name = str(path)
        self._path = path
        found = path.head()
        self._size, self._e_tag = int(found["size"]), found["e_tag"]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(origin + offset, 0)
        return self._position

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        view = memoryview(buffer)
        end = min(self._position + len(view), self._size)
        if end <= self._position:
            return 0
        content = self._path.read_range(self._position, end, e_tag=self._e_tag)
        view[: len(content)] = content
        self._position += len(content)
        return len(content)


def zarr_store(path: ObjectPath) -> Any:  # noqa: ANN401  (obstore's, which Zarr takes)
    """Return the obstore of a prefix, for ``zarr.storage.ObjectStore``."""
    return _store(path.bucket, path.key, _settings())


def filesystem() -> Any:  # noqa: ANN401
    """Return an fsspec file system for all of S3, for one catalog's DuckDB.

    It asks once what an object is, as parts that a catalog shows do not change: DuckDB asks seven
    times of each file that a query reads.
    """
    # One for each catalog: fsspec would return the one that another catalog has.
    return _file_systems()(
        "s3", **_OPTIONS, client_options=_client_options(), skip_instance_cache=True
    )


@functools.cache
def _file_systems() -> Any:  # noqa: ANN401
    module = require("obstore.fsspec", needed_for=SCHEME, extra="s3")

    class Remembering(module.FsspecStore):  # type: ignore[misc, name-defined]
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)
            self._found: dict[str, dict[str, Any]] = {}

        async def _info(self, path: str, **options: object) -> dict[str, Any]:
            path = self._strip_protocol(path)
            if (found := self._found.get(path)) is not None:
                return found
            new: dict[str, Any] = await super()._info(path, **options)
            if new["type"] == "file":
                self._found[path] = new
            return new

        def modified(self, path: str) -> Any:  # noqa: ANN401
            return self.info(path)["last_modified"]

    return Remembering


_OPTIONS: Final[dict[str, Any]] = {
    "retry_config": {
        "max_retries": 6,
        "backoff": {
            "init_backoff": timedelta(seconds=0.2),
            "max_backoff": timedelta(seconds=5),
            "base": 2,
        },
        "retry_timeout": timedelta(seconds=30),
    },
}
"""A service that is overloaded is asked again for about ten seconds; an endpoint that does not
answer is given up within a minute."""


def _client_options() -> dict[str, Any]:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    # Whoever names an endpoint without TLS asks for it; by default it is refused.
    is_plain = {"allow_http": True} if endpoint.startswith("http://") else {}
    return {"connect_timeout": "5s", "timeout": "60s", **is_plain}


def _settings() -> tuple[tuple[str, str], ...]:
    names = sorted(name for name in os.environ if name.startswith("AWS_"))
    return tuple((name, os.environ[name]) for name in names)


@functools.lru_cache(maxsize=64)
def _store(bucket: str, prefix: str | None, _environment: tuple[tuple[str, str], ...]) -> Any:  # noqa: ANN401
    # By the environment too, so that a change of credentials is not answered by an old client.
    module = require("obstore.store", needed_for=SCHEME, extra="s3")
    return module.S3Store(bucket, prefix=prefix, client_options=_client_options(), **_OPTIONS)


def _store_of(path: ObjectPath) -> Any:  # noqa: ANN401
    return _store(path.bucket, None, _settings())


def _obstore(path: ObjectPath) -> Any:  # noqa: ANN401
    return require("obstore", needed_for=str(path), extra="s3")


@contextmanager
def errors_of(path: ObjectPath) -> Iterator[None]:
    """Raise what obstore does as ``OSError``, in one line without the request.

    Raises
    ------
    ServiceError
        The service is at fault, or the credentials are taken no more.
    OSError
        Anything else.
    """
    try:
        yield
    except FileNotFoundError as error:
        _answered.add(path.bucket)
        _raise(errno.ENOENT, "no such object", path, str(error))
    except OSError:
        raise
    except Exception as error:
        kind, text = type(error).__name__, str(error)
        if kind in {"AlreadyExistsError", "PreconditionError"}:
            _raise(errno.EEXIST, "was changed by another program in the meantime", path, text)
        if not type(error).__module__.startswith("obstore"):
            raise
        raise_service_error(text, path)
        is_denied = kind in {"PermissionDeniedError", "UnauthenticatedError"}
        if is_denied or _ROLE_ADDRESS in text or re.search("status code: 40[13] ", text):
            _raise(errno.EACCES, "access denied; check AWS_* in the environment", path, text)
        _raise(errno.EIO, "the object store failed", path, text)
    else:
        _answered.add(path.bucket)


def raise_service_error(text: str, path: ObjectPath) -> None:
    """Raise what obstore's words say of the service or the credentials; return if they do not."""
    code, status = _CODE.search(text), _STATUS.search(text)
    found = code[1] if code else ""
    if found in _EXPIRED or (found in _WITHDRAWN and path.bucket in _answered):
        raise ServiceError(
            f"{path}: the object store takes the credentials no more ({found}): "
            f"{_whose_credentials()}"
        ) from None
    if _ROLE_ADDRESS in text:
        return
    is_trouble = bool(status and _TROUBLE.match(status[1]))
    if is_trouble or (not status and _TRANSPORT.search(text)):
        what = _reason("the object store failed", text)
        raise ServiceError(
            f"{path}: {what}, and again whenever it was asked for some seconds. Nothing there is "
            "known to be damaged. Check that the service is up, and AWS_ENDPOINT_URL if it is set."
        ) from None


def _whose_credentials() -> str:
    """Return whose they are, and what to renew; by the names of variables, never their values."""
    names = [n for n in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
             if os.environ.get(n)]  # fmt: skip
    if names:
        return f"those in {', '.join(names)} of the environment. Renew them there."
    if file := os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return f"those of the token in {file} (AWS_WEB_IDENTITY_TOKEN_FILE). Renew that file."
    return "those of the role of this machine. Renew the role, or its session."


def _raise(number: int, what: str, path: ObjectPath, text: str) -> NoReturn:
    if "<Code>NoSuchBucket</Code>" in text:
        number = errno.ENOENT
    # Without obstore's own error, whose text has requests and answers in full.
    raise OSError(number, _reason(what, text), str(path)) from None


def _reason(what: str, text: str) -> str:
    found = _CODE.search(text) or _TRANSPORT.search(text) or _STATUS.search(text)
    return f"{what} ({found[1].strip()})" if found else what
