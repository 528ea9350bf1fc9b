"""A server of Amazon's S3 interface on this machine, and a bucket of it for each test."""

import functools
import logging
import os
import urllib.request
import uuid
from dataclasses import dataclass

import pytest

from finemo_dist.storage import objects
from finemo_dist.storage.locations import location
from tests.conftest import skip_or_fail

SECRET = "Zx81-a-secret-that-nobody-may-see"
KEY_ID = "AKIAOBJECTSTORAGE"


@dataclass(frozen=True)
class Bucket:
    """An empty bucket; credentials and endpoint are in the environment."""

    name: str
    endpoint: str

    def path(self, key):
        return location(f"s3://{self.name}/{key}")

    def put(self, key, file):
        """Put a local file there and return its URL."""
        self.path(key).put_file(file)
        return str(self.path(key))


@pytest.fixture(scope="session")
def s3_endpoint():
    try:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication
        from moto.server import ThreadedMotoServer
    except ImportError as error:
        skip_or_fail("moto", f"moto's server is not installed: {error}")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        # It looks for the service of each request in a folder of two hundred, which takes longer
        # than to answer.
        found = functools.cache(DomainDispatcherApplication.get_backend_for_host)
        patch.setattr(DomainDispatcherApplication, "get_backend_for_host", found)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture(scope="session")
def s3_environment(s3_endpoint, tmp_path_factory):
    return {
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_endpoint,
        # What is tested is this machine's own: nothing may go through a proxy.
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "FINEMO_DIST_CACHE": str(tmp_path_factory.mktemp("cache")),
    }


@pytest.fixture(scope="module")
def bucket(s3_environment, s3_endpoint):
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in s3_environment.items():
            patch.setenv(name, value)
        yield make_bucket(s3_endpoint)


def make_bucket(endpoint):
    name = f"test-{uuid.uuid4().hex[:12]}"
    _send(f"{endpoint}/{name}", "PUT")
    return Bucket(name, endpoint)


@pytest.fixture
def denied(bucket):
    """From here to the end of the test the server knows no key, and did not before."""
    objects._answered.clear()
    _send(f"{bucket.endpoint}/moto-api/reset-auth", "POST", b"0")
    yield bucket
    _send(f"{bucket.endpoint}/moto-api/reset-auth", "POST", b"inf")


def _send(url, method, content=None):
    request = urllib.request.Request(
        url, method=method, data=content, headers={"Content-Type": "text/plain"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
