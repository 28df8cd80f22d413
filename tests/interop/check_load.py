"""corelane blast's other modes: streams, DNS, holding, rising rates. Against our own servers (over memif)
and the kernel's (tap); what it says is compared with what they counted."""

import json
import os
import signal
import socket
import tempfile
import threading
import time
import xml.etree.ElementTree

import check_input
from check_blast import KernelEcho, _blast, _device, _serve
from check_control import find_counter
from lab import KERNEL, PREFIX, STACK, expect, expect_equal, run, wait_until

TEXT = b"".join(
    bytes(32 + (line + column) % 95 for column in range(72)) + b"\r\n"
    for line in range(95))


def over_memif(function):
    """The check with the path of a memif's socket."""

    def check(lab):
        home = tempfile.mkdtemp(prefix="corelane-memif-")
        path = f"{home}/m.sock"
        try:
            return function(lab, path)
        finally:
            if os.path.exists(path):
                os.unlink(path)
            os.rmdir(home)

    check.__doc__ = function.__doc__
    return check


def on_tap(lab, *words, code=0, interrupt=None):
    """Blasts the kernel through a tap; returns the results."""
    with tempfile.NamedTemporaryFile(prefix="corelane-blast-") as file:
        generator = lab.launch(
            "blast", *words, "--json", file.name, "--dev", lab.dev_flag(),
            "--addr", f"{STACK}/{PREFIX}")
        wait_until(lab.has_interface, 10, "the tap")
        lab._address_kernel()
        run("ip", "-n", lab.stack_ns, "link", "set", "cl0", "up")
        if interrupt:
            time.sleep(interrupt)
            generator.process.send_signal(signal.SIGINT)
        generator.process.wait(30)
        expect_equal(generator.process.returncode, code,
                     f"exit code of blast {' '.join(words)}: "
                     f"{generator.log()[-400:]!r}")
        return json.load(file)


def counted(server, name):
    return find_counter(json.loads(server.ask("stats", "--json").stdout), name)


@over_memif
def streams(lab, path):
    """Against our discard and chargen."""
    server = _serve(lab, path, "discard")
    words = ("--concurrency", "4", *_device(path))
    sent = _blast(lab, "send", f"{STACK}:9", *words, "--slo",
                  "throughput>10Mbps,errors=0")
    bytes_in = counted(server, "bytes_in")
    # What was under way at the end was not acknowledged.
    expect(0 < sent["bytes_out"] <= bytes_in
           <= sent["bytes_out"] + 4 * 262144,
           f"sent {sent['bytes_out']}, the server got {bytes_in}")
    expect_equal((sent["ok"], sent["errors"]), (4, 0), "streams")
    slow = _blast(lab, "send", f"{STACK}:9", *words, "--rate", "8Mbps")
    expect(900_000 < slow["bytes_out"] < 1_100_000, f"1 MB/s: {slow}")
    expect_equal(server.stop(), 0, "exit code")
    server = _serve(lab, path, "chargen")
    got = _blast(lab, "receive", f"{STACK}:19", *words)
    bytes_out = counted(server, "bytes_out")
    expect(0 < got["bytes_in"] <= bytes_out,
           f"received {got['bytes_in']}, the server sent {bytes_out}")
    expect_equal((got["ok"], got["errors"]), (4, 0), "streams")
    refused = _blast(lab, "receive", f"{STACK}:20", *_device(path), code=1)
    expect(refused["errors_by_kind"]["refused"] > 0, f"refused: {refused}")
    expect_equal(server.stop(), 0, "exit code")
    return (f"out {sent['bits_per_second_out'] / 1e6:.0f} Mbit/s, "
            f"in {got['bits_per_second_in'] / 1e6:.0f} Mbit/s")


class KernelStreams:
    """Discard and chargen by the kernel's sockets."""

    def __init__(self):
        self.received = 0
        self._lock = threading.Lock()
        self.discard = socket.create_server(("", 0))
        self.chargen = socket.create_server(("", 0))
        self.other = socket.create_server(("", 0))
        for listener, serve in (
            (self.discard, self._read),
            (self.chargen, lambda c: self._write(c, TEXT * 10)),
            (self.other, lambda c: self._write(c, b"something else" * 1000)),
        ):
            threading.Thread(target=self._accept, args=(listener, serve),
                             daemon=True).start()

    @staticmethod
    def port(listener):
        return listener.getsockname()[1]

    def _accept(self, listener, serve):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._guard, args=(serve, connection),
                             daemon=True).start()

    @staticmethod
    def _guard(serve, connection):
        try:
            with connection:
                serve(connection)
        except OSError:
            pass

    def _read(self, connection):
        while n := len(connection.recv(1 << 16)):
            with self._lock:
                self.received += n

    @staticmethod
    def _write(connection, text):
        while True:
            connection.sendall(text)

    def close(self):
        for listener in (self.discard, self.chargen, self.other):
            listener.close()


def kernel_streams(lab):
    """Against the kernel; a stream of other bytes; Ctrl-C half-way."""
    server = KernelStreams()
    times = ("--warmup", "0", "--duration", "1s", "--concurrency", "2")
    try:
        sent = on_tap(lab, "send", f"{KERNEL}:{server.port(server.discard)}",
                      *times, "--slo", "errors=0")
        expect(0 < sent["bytes_out"] <= server.received
               <= sent["bytes_out"] + 2 * 262144,
               f"sent {sent['bytes_out']}, the kernel got {server.received}")
        got = on_tap(lab, "receive", f"{KERNEL}:{server.port(server.chargen)}",
                     *times, "--slo", "errors=0")
        expect(got["bytes_in"] > 0, f"received: {got}")
        other = f"{KERNEL}:{server.port(server.other)}"
        wrong = on_tap(lab, "receive", other, *times, code=1)
        expect(wrong["errors_by_kind"]["wrong"] > 0, f"other bytes: {wrong}")
        some = on_tap(lab, "receive", other, "--any-bytes", "--warmup", "0",
                      "--duration", "60s", code=3, interrupt=1.5)
        expect(some["partial"] and some["bytes_in"] > 0, f"Ctrl-C: {some}")
        return (f"out {sent['bits_per_second_out'] / 1e6:.0f} Mbit/s, "
                f"in {got['bits_per_second_in'] / 1e6:.0f} Mbit/s")
    finally:
        server.close()


class Names:
    """A small DNS server: 10.1.2.3 for every A, NXDOMAIN for gone.*, another
    question for twisted.*, silence for mute.*."""

    def __init__(self):
        self.queries = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(512)
            except OSError:
                return
            self.queries += 1
            name = query[13:13 + query[12]]
            if name == b"mute":
                continue
            answer = bytearray(query)
            answer[2] |= 0x80
            if name == b"gone":
                answer[3] |= 3
            elif name == b"twisted":
                answer[13] ^= 0x10
            else:
                answer[7] = 1
                answer += bytes.fromhex("c00c00010001000000090004") + bytes(
                    (10, 1, 2, 3))
            self.socket.sendto(answer, peer)


def names(lab):
    """DNS against a server on the kernel."""
    server = Names()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("# four right ones, and four that are not\n"
                   "www.example.com A 10.1.2.3\nwww.example.com A\n"
                   "gone.example.com A NXDOMAIN\na.b A NOERROR\n"
                   "www.example.com A 10.1.2.4\ngone.example.com A\n"
                   "twisted.example.com A\nmute.example.com A\n")
        file.flush()
        words = ("--queries", file.name, "--rate", "800", "--warmup", "0",
                 "--duration", "1s", "--timeout", "500ms")
        try:
            results = on_tap(lab, "dns", f"{KERNEL}:{server.port}", *words)
            expect_equal((results["sent"], results["ok"]), (800, 400), "right")
            kinds = results["errors_by_kind"]
            expect_equal((kinds["wrong"], kinds["timed_out"]), (300, 100),
                         "what went wrong")
            # One to greet, perhaps again.
            expect(800 <= server.queries <= 802, f"{server.queries} counted")
            some = on_tap(lab, "dns", f"{KERNEL}:{server.port}", "--queries",
                          file.name, "--closed", "--warmup", "0", "--duration",
                          "60s", code=3, interrupt=1)
            expect(some["partial"] and some["ok"] > 0, f"Ctrl-C: {some}")
        finally:
            server.socket.close()
        refused = on_tap(lab, "dns", f"{KERNEL}:9", *words, code=1)
        expect(refused["errors_by_kind"]["refused"] > 0, f"refused: {refused}")
    return f"p50 {results['latency_ns']['p50'] / 1000:.0f} us"


def bad_queries(lab):
    """A list of queries with a mistake in it."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("www.example.com A\n\nwww.example.com AAA\n")
        file.flush()
        for path, word in ((file.name, f"{file.name}:3: AAA"),
                           ("/nonexistent", "/nonexistent"),
                           ("/dev/null", "no query")):
            check_input.command_line(
                lab, ("blast", "dns", "10.77.0.1:53", "--rate", "1",
                      "--queries", path, *check_input.NULL), word)


@over_memif
def held(lab, path):
    """Connections that stay, from many addresses, against our echo."""
    server = _serve(lab, path, "echo", "--route", "10.77.16.0/24,10.77.0.3")
    words = ("--connections", "3k", "--sources", "10.77.16.0/24",
             *_device(path))
    some = _blast(lab, "hold", f"{STACK}:7", *words, "--open-rate", "5k",
                  "--active", "10%", "--rate", "500", "--slo", "errors=0")
    expect_equal((some["connections_held"], some["ok"]), (3000, 500), "held")
    expect(4000 < some["opened_per_second"] < 5500, f"opened: {some}")
    expect_equal(counted(server, "passive_opens"), 3000, "the server's count")
    # On the link: the server asks for each address.
    near = _blast(lab, "echo", f"{STACK}:7", "--sources", "10.77.0.128/26",
                  "--rate", "500", "--once", *_device(path))
    expect_equal((near["ok"], near["errors"]), (500, 0), "from many addresses")
    replies = counted(server, "arp_replies_in")
    expect(replies >= 62, f"{replies} ARP replies")
    expect_equal(server.stop(), 0, "exit code")
    return f"{some['opened_per_second']:.0f} opened/s"


@over_memif
def rising(lab, path):
    """Steps and a ramp, with a plot, against our HTTP; Ctrl-C half-way."""
    server = _serve(lab, path, "http", "--size", "128")
    target = f"{STACK}:80"
    with tempfile.NamedTemporaryFile(suffix=".svg") as plot:
        steps = _blast(lab, "http", target, "--rate", "200,400,600",
                       *_device(path), "--plot", plot.name, "--slo", "errors=0")
        picture = xml.etree.ElementTree.parse(plot.name).getroot()
    expect_equal([s["ok"] for s in steps["by_rate"]], [66 + 1, 133, 200],
                 "answers at each rate")
    texts = [t.text for t in picture.iter("{http://www.w3.org/2000/svg}text")]
    expect("Rate over time" in texts and any("p99 " in t for t in texts),
           f"in the plot: {texts}")
    ramp = _blast(lab, "http", target, "--rate", "1..1k", *_device(path))
    tenths = [s["ok"] for s in ramp["by_rate"]]
    expect(len(tenths) == 10 and tenths == sorted(tenths)
           and 490 < sum(tenths) < 510, f"a ramp: {tenths}")
    expect(not ramp["generator_was_limit"], f"{ramp['generator_busy']} busy")
    requests = counted(server, "passive_opens")
    with tempfile.NamedTemporaryFile() as file:
        generator = lab.launch("blast", "http", target, "--rate", "500",
                               "--json", file.name, *_device(path)[:4],
                               "--duration", "60s")
        wait_until(lambda: " 3 s " in generator.log(), 20, "three seconds")
        expect_equal(generator.stop(signal.SIGINT), 3, "exit code")
        some = json.load(file)
    expect(some["partial"] and some["ok"] > 400, f"Ctrl-C: {some}")
    expect(counted(server, "passive_opens") > requests, "connections")
    expect_equal(server.stop(), 0, "exit code")
    return f"tenths of a ramp {tenths}"


def kernel_held(lab):
    """Connections to the kernel's echo; Ctrl-C while they are held."""
    server = KernelEcho()
    target = f"{KERNEL}:{server.port}"
    words = ("--connections", "200", "--sources", "10.77.0.128/26",
             "--open-rate", "500", "--active", "50%", "--rate", "200")
    try:
        results = on_tap(lab, "hold", target, *words, "--duration", "1s",
                         "--slo", "errors=0")
        expect_equal((results["connections_held"], results["ok"]), (200, 200),
                     "held")
        expect_equal(server.requests, 200, "the kernel's count")
        some = on_tap(lab, "hold", target, *words, "--duration", "60s",
                      code=3, interrupt=2)
        expect(some["partial"] and some["connections_held"] == 200,
               f"Ctrl-C: {some}")
    finally:
        server.close()
