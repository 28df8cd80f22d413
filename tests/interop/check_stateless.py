"""corelane blast --stateless: a client that remembers no connection, against
our own servers (over memif) and the kernel's (tap)."""

import http.server
import socket
import threading

from check_blast import KernelEcho, _blast, _device, _serve
from check_load import counted, on_tap, over_memif
from lab import KERNEL, STACK, expect, expect_equal


@over_memif
def own_servers(lab, path):
    """HTTP, echo and held connections; the servers' counters agree."""
    words = ("--stateless", *_device(path))
    server = _serve(lab, path, "http", "--size", "128")
    target = f"{STACK}:80"
    even = _blast(lab, "http", target, "--rate", "2k", *words)
    expect_equal((even["ok"], even["errors"], even["connections_finished"]),
                 (2000, 0, 2000), "at a rate")
    expect(0 < even["handshake_ns"]["p50"] < even["latency_ns"]["p50"],
           f"latencies: {even}")
    fast = _blast(lab, "http", target, "--closed", "--concurrency", "64",
                  *words)
    expect(fast["ok"] > 0 and fast["errors"] == 0, f"closed: {fast}")
    wrong = _blast(lab, "http", target, "--rate", "100", "--status", "404",
                   *words, code=1)
    expect_equal(wrong["errors_by_kind"]["wrong"], 100, "another status")
    refused = _blast(lab, "http", f"{STACK}:81", "--rate", "100", *words,
                     code=1)
    expect_equal(refused["errors_by_kind"]["refused"], 100, "refused")
    held = _blast(lab, "hold", target, "--connections", "20k", "--open-rate",
                  "20k", *words)
    expect_equal((held["connections_held"], held["errors"]), (20000, 0),
                 "held")
    expect_equal(counted(server, "passive_opens"),
                 even["ok"] + fast["ok"] + wrong["sent"] + 20000,
                 "connections that the server counted")
    expect_equal(counted(server, "resets_in"), 20000, "resets at the end")
    expect_equal(server.stop(), 0, "exit code")
    server = _serve(lab, path, "echo")
    echo = _blast(lab, "echo", f"{STACK}:7", "--rate", "1k", *words)
    expect_equal((echo["ok"], echo["errors"], echo["connections_finished"]),
                 (1000, 0, 1000), "echo")
    expect_equal(server.stop(), 0, "exit code")
    return (f"http {fast['ok_per_second']:.0f}/s, "
            f"p50 {even['latency_ns']['p50'] / 1000:.0f} us")


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * 10_000)

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


class _KeepingAlive:
    """Accepts, says nothing, and lets the kernel probe once a second."""

    def __init__(self):
        self.listener = socket.create_server(("", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.open = []
        self.ended = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            for option, value in ((socket.TCP_KEEPIDLE, 1),
                                  (socket.TCP_KEEPINTVL, 1),
                                  (socket.TCP_KEEPCNT, 1)):
                connection.setsockopt(socket.IPPROTO_TCP, option, value)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self.open.append(connection)

    def timed_out(self):
        errors = [c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                  for c in self.open]
        return sum(error == 110 for error in errors)  # ETIMEDOUT

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.open:
            connection.close()


def kernel(lab):
    """The kernel's TCP finds nothing wrong with it: HTTP of many segments, echo,
    and keep-alive probes that it sends once a second."""
    figures = []
    page = _Server(("", 0), _Page)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    try:
        got = on_tap(lab, "http", f"{KERNEL}:{page.server_port}", "--stateless",
                     "--rate", "200", "--warmup", "0", "--duration", "1s")
        expect_equal((got["ok"], got["errors"]), (200, 0), f"http: {got}")
        expect(got["bytes_in"] > 200 * 10_000, f"bytes: {got}")
        figures.append(f"http p50 {got['latency_ns']['p50'] / 1000:.0f} us")
    finally:
        page.shutdown()
        page.server_close()
    echo = KernelEcho()
    try:
        got = on_tap(lab, "echo", f"{KERNEL}:{echo.port}", "--stateless",
                     "--rate", "200", "--warmup", "0", "--duration", "1s")
        expect_equal((got["ok"], got["errors"]), (200, 0), f"echo: {got}")
        # And the datagram that found its MAC address.
        expect_equal(echo.requests, 201, "requests that the kernel counted")
    finally:
        echo.close()
    keeping = _KeepingAlive()
    try:
        got = on_tap(lab, "hold", f"{KERNEL}:{keeping.port}", "--stateless",
                     "--connections", "100", "--open-rate", "1k", "--duration",
                     "5s")
        expect_equal((got["connections_held"], got["errors"]), (100, 0),
                     f"held: {got}")
        expect_equal((len(keeping.open), keeping.timed_out()), (100, 0),
                     "connections that the kernel took for dead")
        figures.append("100 held, probed once a second")
    finally:
        keeping.close()
    return ", ".join(figures)
