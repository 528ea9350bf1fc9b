"""A small file that belongs to one process at a time, on file systems and on object storage.

On object storage every change is a put on the condition that the version that was seen is still
there. File systems have no such thing, but two operations do as well: a name is made by a link only
if nothing has it, and a rename replaces a file at once. So whoever wants to follow the claim of
token T first makes the name ``.NAME.T``, which one process can. It then looks whether the claim is
still that of T, and renames its own into place. A name ``.NAME.T`` beside a claim of another token
means nothing: its maker was late, and removes it or has died. One beside the claim of T is the
claim that counts, whether or not its maker lived to rename it, and can be followed in its turn.

A claim is renewed by writing into the file that holds it, never under its name, so that a process
that was taken for dead cannot overwrite its follower.
"""

import errno
import hashlib
import os
import re
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from finemo_dist.storage.objects import ObjectPath
from finemo_dist.storage.temporary import temporary_path

_SIZE: Final = 1024
"""Claims are padded to a multiple of it, so that one that is renewed is not seen in part."""
_TOKEN: Final = re.compile(rb"[0-9a-f]{32}\n")
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
_MOST_FOLLOWERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as it was seen."""

    token: str
    """Of its holder; of a damaged claim the digest of its bytes."""
    text: str
    e_tag: str | None = None
    """Of the object."""


def new_token() -> str:
    """Return a token that no other claim has."""
    return uuid.uuid4().hex


def read_claim(path: Path) -> Claim | None:
    """Return the claim that counts, or None.

    Raises
    ------
    OSError
        It cannot be read.
    """
    if isinstance(path, ObjectPath):
        return _read_object(path)
    chain = _chain(path)
    return chain[-1] if chain else None


class OwnClaim:
    """A claim that this process has; made by ``claim``."""

    def __init__(self, path: Path, token: str, e_tag: str | None) -> None:
        self._path = path
        self._e_tag = e_tag
        self.token = token

    def renew(self, text: str) -> bool:
        """Write the claim anew, and return whether it is still ours.

        One that was removed is made again, unless another process has a claim there by now.

        Raises
        ------
        OSError
            It cannot be read or written now.
        """
        content = _content(self.token, text)
        if isinstance(self._path, ObjectPath):
            return self._renew_object(self._path, content)
        try:
            descriptor = os.open(self._path, os.O_RDWR)
        except FileNotFoundError:
            return _create(self._path, content)
        try:
            if _parsed(os.read(descriptor, 1 << 16)).token != self.token:
                return False
            os.pwrite(descriptor, content, 0)
        finally:
            os.close(descriptor)
        return True

    def release(self, text: str) -> None:
        """Remove the claim, if it is still ours.

        Raises
        ------
        OSError
            It cannot be removed.
        """
        if isinstance(self._path, ObjectPath):
            found = _read_object(self._path)
            if found is not None and found.token == self.token:
                self._path.unlink()
            return
        # Nobody else may follow while it is removed: what follows must not be removed with it.
        name = _follower(self._path, self.token)
        if not _create(name, _content(new_token(), text)):
            return
        try:
            found = _read(self._path)
            if found is not None and found.token == self.token:
                _unlink(self._path)
        finally:
            _unlink(name)

    def _renew_object(self, path: ObjectPath, content: bytes) -> bool:
        try:
            self._e_tag = _put(path, content, self.token, self._e_tag)
        except FileExistsError:
            return False
        return True


def claim(path: Path, text: str, *, over: Claim | None) -> OwnClaim | None:
    """Make a claim where there is none, or in the place of one that was seen.

    Returns
    -------
    None where another process was faster; then ``read_claim`` shows its claim.

    Raises
    ------
    OSError
        It cannot be written.
    """
    token = new_token()
    content = _content(token, text)
    if isinstance(path, ObjectPath):
        try:
            e_tag = _put(path, content, token, None if over is None else over.e_tag)
        except FileExistsError:
            return None
        return OwnClaim(path, token, e_tag)
    if not (_create(path, content) if over is None else _follow(path, over, token, content)):
        return None
    for name in path.parent.glob(f".{path.name}.*"):
        # Of those that were late, or died before they renamed theirs.
        if name.name != f".{path.name}.{token}":
            _unlink(name)
    return OwnClaim(path, token, None)


def _follow(path: Path, over: Claim, token: str, content: bytes) -> bool:
    name = _follower(path, over.token)
    if not _create(name, content):
        return False
    chain = _chain(path)
    if not chain or chain[-1].token != token:
        _unlink(name)
        return False
    try:
        _rename(name, path)
    except FileNotFoundError:
        return False
    return True


def _put(path: ObjectPath, content: bytes, token: str, e_tag: str | None) -> str | None:
    """Put a claim in the place of the version that was seen, and return its own.

    Raises
    ------
    FileExistsError
        Another process has a claim there.
    OSError
        It cannot be put.
    """
    try:
        return path.put_if(content, replaces=e_tag)
    except FileExistsError:
        pass
    except FileNotFoundError:
        if e_tag is None:
            # Nor is the bucket there.
            raise
    found = _read_object(path)
    if found is None and e_tag is not None:
        return _put(path, content, token, None)
    if found is None or found.token != token:
        raise FileExistsError(errno.EEXIST, "belongs to another process", str(path))
    # A put whose answer was lost may have been sent twice.
    return found.e_tag


def _chain(path: Path) -> list[Claim]:
    """Return the claim of a name, and those that follow it one after the other."""
    found = _read(path)
    chain: list[Claim] = []
    while found is not None and len(chain) < _MOST_FOLLOWERS:
        chain.append(found)
        found = _read(_follower(path, found.token))
    return chain


def _follower(path: Path, token: str) -> Path:
    return path.with_name(f".{path.name}.{token}")


def _content(token: str, text: str) -> bytes:
    content = f"{token}\n{text}".encode()
    return content.ljust(-(-(len(content) + 1) // _SIZE) * _SIZE - 1) + b"\n"


def _parsed(content: bytes, e_tag: str | None = None) -> Claim:
    if _TOKEN.match(content) is None:
        return Claim(hashlib.blake2b(content, digest_size=16).hexdigest(), "", e_tag)
    token, _, text = content.decode(errors="replace").partition("\n")
    return Claim(token, text.rstrip(), e_tag)


def _read_object(path: ObjectPath) -> Claim | None:
    try:
        content, e_tag = path.read_tagged()
    except FileNotFoundError:
        return None
    return _parsed(content, e_tag)


def _read(path: Path) -> Claim | None:
    try:
        return _parsed(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None


def _create(path: Path, content: bytes) -> bool:
    """Make a file with its content, and return whether nothing had its name."""
    temporary = temporary_path(path, "")
    try:
        temporary.write_bytes(content)
        os.link(temporary, path)
    except FileExistsError:
        # A file server may have made it and lost its answer.
        return temporary.stat().st_nlink > 1
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _create_without_links(path, content)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _create_without_links(path: Path, content: bytes) -> bool:
    """Do the same where there are no links: others may see a part of it for a moment."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return True


def _rename(path: Path, target: Path) -> None:
    path.replace(target)


def _unlink(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
