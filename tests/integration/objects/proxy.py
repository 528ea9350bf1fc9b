"""A way to the object store that fails as services do: by status, by silence, by refusal."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Rule = Callable[[str, str], tuple[int, str] | None]
"""Of method and path with query, what is answered instead: a status and a code of S3's."""


@dataclass
class Proxy:
    """Passes requests on, but those that a rule answers."""

    endpoint: str
    rule: Rule | None = None
    answered: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and code of each request that the rule answered."""
    passed: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each other."""

    def always(self, status: int, code: str, *, where: str = "", method: str = "") -> None:
        """Answer every request so whose path has a text, from now on."""
        self.rule = lambda m, path: (status, code) if where in path and method in m else None

    def times(self, n: int, status: int, code: str, *, where: str = "") -> None:
        """Answer the first so many of these."""
        left = [None] * n

        def rule(_: str, path: str) -> tuple[int, str] | None:
            if where not in path or not left:
                return None
            left.pop()
            return status, code

        self.rule = rule


@contextmanager
def proxy_to(host: str, port: int) -> Iterator[Proxy]:
    """Start a proxy on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave at once: otherwise each answer waits 40 ms for a word of the client.
        wbufsize = -1
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            # One for each of the client's: a connection costs the service more than an answer.
            self.upstream = http.client.HTTPConnection(host, port, timeout=60)

        def finish(self) -> None:
            self.upstream.close()
            super().finish()

        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            ruled = proxy.rule and proxy.rule(self.command, self.path)
            if ruled:
                status, code = ruled
                proxy.answered.append((self.command, self.path, code))
                body = f"<Error><Code>{code}</Code><Message>so it is</Message></Error>".encode()
                self.send(status, {"Content-Type": "application/xml"}, body)
                return
            proxy.passed.append((self.command, self.path))
            self.upstream.request(self.command, self.path, content, dict(self.headers))
            answer = self.upstream.getresponse()
            self.send(answer.status, dict(answer.getheaders()), answer.read())

        def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                    self.send_header(name, value)
            length = (
                headers.get("Content-Length", len(body)) if self.command == "HEAD" else len(body)
            )
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815  (http.server's)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
