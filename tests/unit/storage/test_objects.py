"""Objects as paths, and what is said where the store or the credentials fail."""

import errno

import pytest

from finemo_dist.core.errors import InputError, ServiceError, StoreError
from finemo_dist.core.system_errors import fault
from finemo_dist.storage import objects
from finemo_dist.storage.files import file_system_time, flush
from finemo_dist.storage.locations import location
from finemo_dist.storage.objects import errors_of
from finemo_dist.storage.temporary import remove_left_behind

PLACE = "s3://bucket/a/b.txt"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"
SECRET = "Zx81-a-secret-that-nobody-may-see"


@pytest.fixture
def object_of(local_bucket, tmp_path):
    """Return what puts an object of some bytes."""

    def make(content, key="a/b.txt"):
        file = tmp_path / "content"
        file.write_bytes(content)
        local_bucket(key).put_file(file)
        return local_bucket(key)

    return make


@pytest.mark.parametrize("e_tag", ["its own", None])
def test_a_range_is_of_the_version_that_is_asked_for_or_of_any(object_of, e_tag):
    path = object_of(b"hello world")
    known = path.head()["e_tag"] if e_tag else None

    assert path.read_range(6, 11, e_tag=known) == b"world"
    object_of(b"other words, and more")
    if e_tag is None:
        assert path.read_range(6, 11) == b"words"
    else:
        with pytest.raises(FileExistsError, match="changed by another program"):
            path.read_range(6, 11, e_tag=known)


@pytest.mark.parametrize(
    ("mode", "options", "expected"),
    [
        ("r", {}, ["péak\n", "two\n"]),
        ("rt", {"newline": ""}, ["péak\r\n", "two\n"]),
        ("r", {"encoding": "latin-1"}, ["pÃ©ak\n", "two\n"]),
        ("rb", {}, ["péak\r\n".encode(), b"two\n"]),
    ],
)
def test_an_object_is_opened_as_text_or_as_bytes(object_of, mode, options, expected):
    with object_of("péak\r\ntwo\n".encode()).open(mode, **options) as handle:
        assert list(handle) == expected


def test_what_disks_alone_need_is_not_done_to_objects(local_bucket, tmp_path):
    """The clock of a file system, flushing, and what killed writers left."""
    place = local_bucket("folder")
    before = sorted(tmp_path.rglob("*"))

    assert file_system_time(place) is None
    flush(place / "x")
    remove_left_behind(place)

    assert sorted(tmp_path.rglob("*")) == before


def told(text, kind="GenericError"):
    """Have obstore raise an error, and return what it becomes."""
    from obstore import exceptions

    with pytest.raises(OSError) as caught, errors_of(location(PLACE)):  # noqa: PT011
        raise getattr(exceptions, kind)(text)
    return caught.value


@pytest.fixture
def environment(monkeypatch):
    """Return what sets variables of the credentials, and no others."""

    def have(**given):
        for name in (*KEYS, TOKEN_FILE):
            monkeypatch.delenv(name, raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)

    have()
    monkeypatch.setattr(objects, "_answered", set())
    return have


@pytest.mark.parametrize(
    ("given", "cure"),
    [
        (
            {KEYS[0]: SECRET, KEYS[2]: SECRET, TOKEN_FILE: "/token"},
            "those in AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN of the environment. Renew them there.",
        ),
        (
            {TOKEN_FILE: "/run/token", KEYS[0]: ""},
            "those of the token in /run/token (AWS_WEB_IDENTITY_TOKEN_FILE). Renew that file.",
        ),
        ({}, "those of the role of this machine. Renew the role, or its session."),
    ],
    ids=["keys", "token", "role"],
)
def test_credentials_that_expired_are_named_by_whose_they_are(environment, given, cure):
    environment(**given)

    error = told("<Error><Code>ExpiredToken</Code></Error> status code: 400 Bad Request")

    assert isinstance(error, ServiceError)
    assert str(error) == (
        f"{PLACE}: the object store takes the credentials no more (ExpiredToken): {cure}"
    )


@pytest.mark.parametrize(
    ("kind", "text", "number", "what"),
    [
        # Whoever has no credentials at all is told by where they are looked for.
        ("GenericError", "HTTP error: no answer of http://169.254.169.254/latest/api/token",
         errno.EACCES,
         "access denied; check AWS_* in the environment "
         "(no answer of http://169.254.169.254/latest/api/token)"),
        ("GenericError", "<Code>InvalidAccessKeyId</Code> status code: 403 Forbidden", errno.EACCES,
         "access denied; check AWS_* in the environment (InvalidAccessKeyId)"),
        ("PermissionDeniedError", "no", errno.EACCES,
         "access denied; check AWS_* in the environment"),
        ("GenericError", "<Code>NoSuchBucket</Code> status code: 404 Not Found", errno.ENOENT,
         "the object store failed (NoSuchBucket)"),
        ("GenericError", "<Code>InvalidRequest</Code> status code: 400 Bad Request", errno.EIO,
         "the object store failed (InvalidRequest)"),
        ("PreconditionError", "other", errno.EEXIST,
         "was changed by another program in the meantime"),
    ],
)  # fmt: skip
def test_what_is_refused_is_an_error_of_the_system(environment, kind, text, number, what):
    error = told(text, kind)

    assert not isinstance(error, ServiceError)
    assert (error.errno, error.strerror, error.filename) == (
        number,
        what,
        PLACE,
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("status code: 503 Slow Down", "503 Slow Down"),
        ("HTTP error: connection refused", "connection refused"),
        ("status code: 429 Too Many Requests", "429 Too Many Requests"),
    ],
)
def test_a_service_that_fails_is_named_and_nothing_is_called_damaged(environment, text, what):
    error = told(text)

    assert isinstance(error, ServiceError)
    assert str(error).startswith(f"{PLACE}: the object store failed ({what}), and again")
    assert "Nothing there is known to be damaged." in str(error)


def test_a_key_that_was_taken_before_has_been_withdrawn(environment):
    text = "<Code>InvalidAccessKeyId</Code> status code: 403 Forbidden"
    assert isinstance(told(text), PermissionError)
    with errors_of(location(PLACE)):
        pass

    error = told(text)

    assert isinstance(error, ServiceError)
    assert "takes the credentials no more (InvalidAccessKeyId)" in str(error)


def test_what_no_store_raised_is_left_alone():
    with pytest.raises(ZeroDivisionError), errors_of(location(PLACE)):
        raise ZeroDivisionError


@pytest.mark.parametrize(("kind", "doing"), [(StoreError, "written"), (InputError, "read")])
def test_an_object_that_fails_is_no_matter_of_a_mount(environment, kind, doing):
    """As a disk that fails would be."""
    error = told("<Code>InvalidRequest</Code> status code: 400 Bad Request")

    assert str(fault(PLACE, error, otherwise="", kind=kind, doing=doing)) == (
        f"{PLACE}: cannot be {doing}: the object store failed (InvalidRequest). Try again. If it "
        "fails again, check AWS_* in the environment."
    )
