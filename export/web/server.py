"""Serves a static folder on this machine alone.

With the types that a browser insists on, whatever the system's table of types
says: a module of another type is not run.
"""

import functools
import http.server
import pathlib
from typing import Any

HOST = "127.0.0.1"
_TYPES = {
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and says nothing of each request."""

    protocol_version = "HTTP/1.1"
    extensions_map = {  # noqa: RUF012
        "": "application/octet-stream",
        **_TYPES,
    }

    def end_headers(self) -> None:
        """Adds that a browser asks anew before it takes its copy."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the screen for what the user should read."""


def make_server(
    folder: pathlib.Path, port: int, handler: type[Handler] = Handler
) -> http.server.ThreadingHTTPServer:
    """Returns a server of a folder; 0 takes any free port.

    Raises:
      OSError: the port is taken.
    """
    serve = functools.partial(handler, directory=str(folder))
    return http.server.ThreadingHTTPServer((HOST, port), serve)


def address(server: http.server.ThreadingHTTPServer) -> str:
    """Returns what to type into a browser."""
    return f"http://{HOST}:{server.server_address[1]}/"
