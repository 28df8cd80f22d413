"""Several cores: every device, one queue or several, against the kernel and
against another corelane."""

import json
import os
import socket
import tempfile
import time

from lab import STACK, expect, wait_until


def _echo(size):
    data = os.urandom(size)
    with socket.create_connection((STACK, 7), timeout=10) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        got = b""
        while piece := s.recv(65536):
            got += piece
    expect(got == data, f"{len(got)} of {size} bytes came back, or other ones")


def _udp_echo(size):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        s.connect((STACK, 7))
        data = os.urandom(size)
        for _ in range(5):
            s.send(data)
            try:
                expect(s.recv(65535) == data, "other bytes came back")
                return
            except socket.timeout:
                continue
    raise AssertionError(f"no answer to {size} bytes")


def cores_of(server):
    return json.loads(server.ask("top", "--once", "--json").stdout)


def totals(server):
    return json.loads(server.ask("stats", "--json").stdout)


def traffic(server, queues):
    """Connections and datagrams from many ports, so that each core has some."""
    for number in range(40):
        _echo(20_000 if number % 8 == 0 else 100)
        _udp_echo((50, 1400, 1700)[number % 3])
    report = totals(server)
    counters, drops = report["counters"], report["drops"]
    expect(report["tcp"]["passive_opens"] >= 40, "not all were accepted")
    received = counters["delivered"] + sum(drops.values())
    expect(counters["rx_packets"] == received,
           f"{counters['rx_packets']} received, {received} accounted for")
    expect(counters["steered"] > 0, "nothing was steered")
    port = json.loads(server.ask("ports", "--json").stdout)[0]
    expect(port["queues"] == queues, f"{port['queues']} queues, not {queues}")
    expect("in software" in port["spread"], port["spread"])
    expect("go to their cores in software" in server.log(), "not in the log")
    opened = server.ask("netstat", "-a").stdout.count("LISTEN")
    expect(opened >= 1, "no listener in netstat")
    return f"{counters['steered']} of {counters['rx_packets']} steered"


def _homes(server):
    """Which core has the connection of a port of the kernel's."""
    listed = json.loads(server.ask("netstat", "--json", "--wide").stdout)
    return {int(s["foreign"].split(":")[1]): s["core"] for s in listed
            if s["state"] == "ESTABLISHED"}


def rebalanced(server):
    """Only connections of one core are busy: some of them move, and all go
    on."""
    opened = [socket.create_connection((STACK, 7), timeout=10)
              for _ in range(40)]
    try:
        wait_until(lambda: len(_homes(server)) == 40, 10, "40 connections")
        homes = _homes(server)
        full = max((0, 1), key=list(homes.values()).count)
        busy = [s for s in opened if homes[s.getsockname()[1]] == full]
        end = time.monotonic() + 20
        rounds = 0
        while time.monotonic() < end:
            for _ in range(200):
                data = os.urandom(30)
                rounds += 1
                for s in busy:
                    s.sendall(data)
                for s in busy:
                    got = b""
                    while len(got) < 30:
                        piece = s.recv(30 - len(got))
                        expect(piece, "closed")
                        got += piece
                    expect(got == data, "other bytes came back")
            now = _homes(server)
            moved = sum(now[s.getsockname()[1]] != full for s in busy)
            if moved * 4 >= len(busy):
                break
        counters = totals(server)["counters"]
        expect(moved > 0, f"none of {len(busy)} moved in {rounds} rounds")
        expect(counters["segments_passed_on"] > 0, "nothing was passed on")
        expect(counters["move_failures"] == 0, "a move failed")
    finally:
        for s in opened:
            s.close()
    wait_until(lambda: not _homes(server), 10, "all closed")
    return f"{moved} of {len(busy)} busy connections moved"


def stops(server):
    began = time.monotonic()
    code = server.stop()
    expect(code == 0, f"ended with {code}")
    return f"{time.monotonic() - began:.1f} s"


def _wait_for(server, text):
    wait_until(lambda: text in server.log() or not server.running(), 30, text)
    expect(server.running(), f"ended: {server.log()[-300:]!r}")


def memif(lab):
    """Two instances with two cores each; the client opens from both."""
    path = os.path.join(tempfile.mkdtemp(), "memif.sock")
    sink = lab.launch("discard", "--dev", f"memif,socket={path},role=server",
                      "--addr", "10.77.5.1/24", "--cores", "0,1")
    _wait_for(sink, "to look inside")
    targets = ["--connect", "10.77.5.1:9"] * 4
    source = lab.launch("chargen", "--dev", f"memif,socket={path},role=client",
                        "--addr", "10.77.5.2/24", "--cores", "0,1", *targets)
    _wait_for(source, "to look inside")
    wait_until(lambda: source.log().count("connected to") == 4, 20,
               "four connections")
    wait_until(lambda: totals(sink)["tcp"]["bytes_in"] > 50_000_000, 30,
               "50 MB")
    busy = [c for c in cores_of(source) if c["core"] != "all"]
    expect(len(busy) == 2, f"{len(busy)} cores in top")
    expect(source.stop() == 0 and sink.stop() == 0, "a bad end")
    return f"{totals_of_log(sink)}"


def totals_of_log(server):
    return server.log().strip().splitlines()[-1].split("stopped: ")[-1]


def ring(lab):
    """A loop in the process: nobody answers, and it still starts and stops."""
    server = lab.launch("echo", "--dev", "ring", "--addr", "10.77.6.1/24",
                        "--cores", "0,1")
    _wait_for(server, "to look inside")
    counters = totals(server)["counters"]
    expect(counters["arp_requests_out"] > 0, "no announcement")
    expect(server.stop() == 0, "a bad end")
