"""corelane blast against our own servers (over memif) and the kernel's (tap).

What the generator says is compared with what the server has counted itself.
"""

import json
import os
import socket
import tempfile
import threading

from check_control import find_counter
from lab import KERNEL, PREFIX, STACK, expect, expect_equal, run, wait_until

GENERATOR = "10.77.0.3"


def jumbo(lab):
    """Packets of 9,000 bytes between two instances over vhost and virtio."""
    path = os.path.join(tempfile.mkdtemp(), "vhost.sock")
    server = lab.launch("echo", "--dev", f"vhost,socket={path}", "--addr",
                        "10.77.5.1/24", "--mtu", "9000")
    wait_until(lambda: "to look inside" in server.log()
               or not server.running(), 20, "start")
    for what in ("udp", "echo"):
        run(lab.corelane, "blast", what, "--name", f"{server.name}-{what}",
            "--target", "10.77.5.1:7", "--size", "8900", "--rate", "500",
            "--warmup", "0s", "--duration", "2s", "--slo", "errors=0", "--dev",
            f"virtio_user,socket={path}", "--addr", "10.77.5.2/24", "--mtu",
            "9000", timeout=40)
    stats = json.loads(server.ask("stats", "--json").stdout)["counters"]
    expect_equal(stats["fragments_in"] + stats["fragments_out"], 0, "fragments")
    mean = stats["rx_bytes"] / stats["rx_packets"]
    expect(mean > 3000, f"packets of {mean} bytes")
    expect_equal(server.stop(), 0, "exit code")
    return f"{mean:.0f} bytes a packet"


def unmapped(lab):
    """Bytes that no device has mapped, sent through a virtio ring."""
    path = os.path.join(tempfile.mkdtemp(), "vhost.sock")
    server = lab.launch("discard", "--dev", f"vhost,socket={path}", "--addr",
                        f"{STACK}/{PREFIX}")
    wait_until(lambda: "to look inside" in server.log()
               or not server.running(), 20, "start")
    sent = _blast(lab, "send", "--target", f"{STACK}:9", "--dev",
                  f"virtio_user,socket={path}", "--addr",
                  f"{GENERATOR}/{PREFIX}", "--warmup", "0", "--duration", "1s")
    expect(sent["bytes_out"] > 1_000_000 and sent["errors"] == 0,
           f"static bytes: {sent}")
    expect_equal(server.stop(), 0, "exit code")
    return f"{sent['bytes_out'] / 1e6:.0f} MB"


class KernelEcho:
    """Echo over TCP and UDP by the kernel's sockets, in this process."""

    def __init__(self):
        self.requests = 0
        self.tcp = socket.create_server(("", 0), backlog=256)
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("", self.port))
        for target in (self._accept, self._datagrams):
            threading.Thread(target=target, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._stream, args=(connection,),
                             daemon=True).start()

    def _stream(self, connection):
        with connection:
            while data := connection.recv(65536):
                self.requests += 1
                connection.sendall(data)

    def _datagrams(self):
        while True:
            try:
                data, peer = self.udp.recvfrom(65536)
            except OSError:
                return
            self.requests += 1
            self.udp.sendto(data, peer)

    def close(self):
        # Ends accept(), which otherwise may go on with whoever gets the number
        # of this descriptor next.
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()
        self.udp.close()


def _blast(lab, *words, code=0):
    """Runs it to its end; returns its results."""
    with tempfile.NamedTemporaryFile(prefix="corelane-blast-") as file:
        generator = lab.launch("blast", *words, "--json", file.name)
        generator.process.wait(30)
        expect_equal(generator.process.returncode, code,
                     f"exit code of blast {' '.join(words)}: "
                     f"{generator.log()[-300:]!r}")
        return json.load(file)


def kernel_echo(lab):
    """TCP and UDP against the kernel, on a tap."""
    server = KernelEcho()
    try:
        figures = []
        for what in ("echo", "udp"):
            server.requests = 0
            with tempfile.NamedTemporaryFile(prefix="corelane-blast-") as file:
                generator = lab.launch(
                    "blast", what, "--target", f"{KERNEL}:{server.port}",
                    "--rate", "500", "--concurrency", "8", "--warmup", "0",
                    "--duration", "1s", "--json", file.name, "--slo",
                    "errors=0,rate>490", "--dev", lab.dev_flag(), "--addr",
                    f"{STACK}/{PREFIX}")
                wait_until(lab.has_interface, 10, "the tap")
                lab._address_kernel()
                run("ip", "-n", lab.stack_ns, "link", "set", "cl0", "up")
                generator.process.wait(30)
                expect_equal(generator.process.returncode, 0,
                             f"blast {what}: {generator.log()[-400:]!r}")
                results = json.load(file)
            expect_equal(results["ok"], 500, f"{what}: answers")
            # UDP greets with a datagram of its own.
            expect(500 <= server.requests <= 502,
                   f"{what}: the kernel counted {server.requests}")
            figures.append(
                f"{what} p50 {results['latency_ns']['p50'] / 1000:.0f} us")
        return ", ".join(figures)
    finally:
        server.close()


def own_servers(lab):
    """HTTP and echo of our own, over memif."""
    home = tempfile.mkdtemp(prefix="corelane-memif-")
    path = f"{home}/m.sock"
    try:
        return "; ".join([_http(lab, path), _echo(lab, path),
                          _two_cores(lab, path)])
    finally:
        if os.path.exists(path):
            os.unlink(path)
        os.rmdir(home)


def _serve(lab, path, *words):
    server = lab.launch(words[0], "--dev", f"memif,socket={path},role=server",
                        "--addr", f"{STACK}/{PREFIX}", *words[1:])
    wait_until(lambda: "to look inside" in server.log(), 20,
               f"start of {words[0]}")
    return server


def _device(path):
    return ("--dev", f"memif,socket={path},role=client", "--addr",
            f"{GENERATOR}/{PREFIX}", "--warmup", "0", "--duration", "1s")


def _http(lab, path):
    server = _serve(lab, path, "http", "--size", "128")
    target = ("--target", f"{STACK}:80")
    keep = _blast(lab, "http", *target, "--rate", "2k", *_device(path))
    expect_equal((keep["ok"], keep["errors"]), (2000, 0), "keep-alive")
    once = _blast(lab, "http", *target, "--rate", "1k", "--once", *_device(path))
    expect_equal((once["ok"], once["errors"]), (1000, 0), "--once")
    expect(once["connections_opened"] >= 1000, "a connection for each")
    wrong = _blast(lab, "http", *target, "--rate", "100", "--status", "404",
                   *_device(path), code=1)
    expect_equal(wrong["errors_by_kind"]["wrong"], 100, "another status")
    refused = _blast(lab, "http", "--target", f"{STACK}:81", "--rate", "100",
                     "--once", *_device(path), code=1)
    expect(refused["errors_by_kind"]["refused"] > 0, "refused")
    stats = json.loads(server.ask("stats", "--json").stdout)
    expect_equal(find_counter(stats, "passive_opens"),
                 sum(r["connections_opened"] for r in (keep, once, wrong)),
                 "connections that the server counted")
    expect_equal(server.stop(), 0, "exit code")
    return f"http p50 {keep['latency_ns']['p50'] / 1000:.0f} us"


def _echo(lab, path):
    server = _serve(lab, path, "echo")
    target = ("--target", f"{STACK}:7")
    closed = _blast(lab, "echo", *target, "--closed", "--concurrency", "16",
                    "--size", "1000", *_device(path))
    expect(closed["ok"] > 100 and closed["errors"] == 0, f"closed: {closed}")
    udp = _blast(lab, "udp", *target, "--rate", "2k", "--poisson",
                 *_device(path))
    expect(udp["errors"] == 0 and udp["ok"] == udp["sent"], f"udp: {udp}")
    missed = _blast(lab, "echo", *target, "--rate", "100", "--slo", "p50<1ns",
                    *_device(path), code=1)
    expect(not missed["objectives"][0]["met"], "an objective that is missed")
    expect_equal(server.stop(), 0, "exit code")
    return f"echo {closed['ok_per_second']:.0f}/s closed"


def _two_cores(lab, path):
    server = _serve(lab, path, "echo", "--cores", "0,1")
    both = _blast(lab, "udp", "--target", f"{STACK}:7", "--rate", "2k",
                  "--cores", "0,1", *_device(path))
    expect_equal((both["sent"], both["ok"], both["errors"]), (2000, 2000, 0),
                 "udp from two cores")
    expect_equal(server.stop(), 0, "exit code")
    return f"two cores p50 {both['latency_ns']['p50'] / 1000:.0f} us"


def _pps(lab, *words, code=0):
    return _blast(lab, "pps", *words, code=code)


def packets(lab):
    """Raw packets: alone, through a loop, against our echo and reflector."""
    alone = _pps(lab, "--dev", "null", "--tx-only", "--duration", "300ms")
    expect(alone["ok"] > 0 and alone["errors"] == 0, f"null: {alone}")
    loop = _pps(lab, "--dev", "ring", "--rate", "20kpps", "--size", "imix",
                "--flows", "100", "--duration", "1s", "--slo", "errors=0")
    expect_equal((loop["sent"], loop["ok"], loop["overtaken"]),
                 (20000, 20000, 0), "through a ring")
    both = _pps(lab, "--dev", "ring", "--rate", "20kpps", "--flows", "100",
                "--cores", "0,1", "--duration", "1s")
    expect_equal((both["sent"], both["ok"], both["errors"]), (20000, 20000, 0),
                 "from two cores through a ring")
    steps = _pps(lab, "--dev", "ring", "--rate", "1k,3k", "--duration", "1s")
    expect_equal([(r["ok"], r["errors"]) for r in steps["by_rate"]],
                 [(500, 0), (1500, 0)], "two rates")
    found = _pps(lab, "--dev", "ring", "--find-max-rate", "--size", "64",
                 "--rate", "50k", "--duration", "100ms", "--loss", "50")
    expect(found["found"][0]["packets_per_second"] > 0, f"search: {found}")
    home = tempfile.mkdtemp(prefix="corelane-memif-")
    path = f"{home}/m.sock"
    try:
        return "; ".join([_packets_echo(lab, path), _packets_mirror(lab, path)])
    finally:
        if os.path.exists(path):
            os.unlink(path)
        os.rmdir(home)


def _packets_echo(lab, path):
    server = _serve(lab, path, "echo")
    sent = _pps(lab, "--target", f"{STACK}:7", "--rate", "10k", "--flows", "50",
                *_device(path))
    expect_equal((sent["sent"], sent["ok"], sent["errors"]), (10000, 10000, 0),
                 "back from our echo")
    stats = json.loads(server.ask("stats", "--json").stdout)
    expect(find_counter(stats, "rx_packets") >= 10000, "the server's counter")
    nobody = _pps(lab, "--target", "10.77.0.9:7", "--timeout", "300ms",
                  *_device(path), code=1)
    expect_equal(nobody["errors_by_kind"]["unreachable"], 1, "no ARP")
    expect_equal(server.stop(), 0, "exit code")
    return f"echo p50 {sent['latency_ns']['p50'] / 1000:.0f} us"


def _packets_mirror(lab, path):
    mirror = lab.launch("blast", "pps", "--reflect", "--duration", "60s",
                        "--dev", f"memif,socket={path},role=server",
                        "--addr", f"{STACK}/{PREFIX}")
    wait_until(lambda: "turned round" in mirror.log(), 20, "the reflector")
    sent = _pps(lab, "--target", f"{STACK}:9", "--rate", "10k", "--size",
                "64,1518", *_device(path))
    expect_equal((sent["ok"], sent["errors"]), (10000, 0), "turned round")
    # Ended before its time: partial results.
    expect_equal(mirror.stop(), 3, "exit code of the reflector")
    return f"reflector p50 {sent['latency_ns']['p50'] / 1000:.0f} us"
