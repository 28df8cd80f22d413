"""Below TCP: ping, ARP, closed ports, UDP."""

import re
import socket
import struct
import time

from lab import ABSENT, KERNEL, STACK, Failure, expect, expect_equal, run


def ping_sizes(server):
    sizes = [s for s in (0, 1, 8, 56, 1472, 1473, 1800, 2961, 8000, 30001,
                         65507) if s <= server.lab.largest]
    for size in sizes:
        done = run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "2", "-s",
                   str(size), STACK, check=False)
        expect(" 0% packet loss" in done.stdout,
               f"ping -s {size}: {done.stdout[-200:]!r}")
        expect("wrong data" not in done.stdout, f"ping -s {size}: wrong data")
    return f"up to {sizes[-1]} bytes"


def ping_latency(_server):
    done = run("ping", "-n", "-c", "50", "-i", "0.02", STACK)
    times = sorted(float(t) for t in re.findall(r"time=([0-9.]+)", done.stdout))
    expect_equal(len(times), 50, "replies")
    median = times[len(times) // 2]
    # The aim is 1 ms; a busy machine may need more.
    expect(median < 10, f"median {median} ms")
    return f"median {median} ms, worst {times[-1]} ms"


def _arp(operation, sender_mac, sender, target_mac, target):
    return (
        b"\xff" * 6 + sender_mac + b"\x08\x06"
        + struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
        + sender_mac + socket.inet_aton(sender)
        + target_mac + socket.inet_aton(target)
    ).ljust(60, b"\0")


def _arp_socket(interface):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
    s.bind((interface, 0))
    s.settimeout(1)
    return s


def _mac_of(interface):
    # /sys shows the namespace it was mounted in, not ours.
    out = run("ip", "-o", "link", "show", interface).stdout
    return bytes.fromhex(
        re.search(r"link/ether ([0-9a-f:]+)", out)[1].replace(":", ""))


def arp_answers(server):
    lab = server.lab
    mac = _mac_of(lab.kernel_interface)
    with _arp_socket(lab.kernel_interface) as s:
        s.send(_arp(1, mac, KERNEL, bytes(6), ABSENT))
        s.send(_arp(1, mac, KERNEL, bytes(6), STACK))
        end = time.monotonic() + 1
        replies = []
        while time.monotonic() < end and not replies:
            frame = s.recv(2048)
            if frame[20:22] == b"\x00\x02":
                replies.append(frame)
    expect(replies, "no ARP reply")
    frame = replies[0]
    expect_equal(frame[0:6], mac, "destination of the reply")
    expect_equal(frame[28:32], socket.inet_aton(STACK), "sender of the reply")
    expect_equal(frame[22:28], frame[6:12], "its two MAC addresses")


def arp_conflict(server):
    lab = server.lab
    stranger = bytes.fromhex("02deadbeef01")
    with _arp_socket(lab.kernel_interface) as s:
        s.send(_arp(1, stranger, STACK, bytes(6), STACK))
    end = time.monotonic() + 3
    while "02:de:ad:be:ef:01" not in server.log().lower():
        expect(time.monotonic() < end, "the conflict is not in the log")
        time.sleep(0.05)
    run("ip", "neigh", "flush", "all", check=False)
    run("ping", "-n", "-c", "1", "-W", "2", STACK)


def tcp_closed_port(_server):
    begin = time.monotonic()
    try:
        socket.create_connection((STACK, 6), timeout=5).close()
    except ConnectionRefusedError:
        expect(time.monotonic() - begin < 2, "refused, but late")
        return
    raise Failure("somebody listens on port 6")


def udp_closed_port(_server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((STACK, 6))
        s.settimeout(3)
        s.send(b"anybody?")
        try:
            s.recv(100)
        except ConnectionRefusedError:
            return
    raise Failure("no ICMP port unreachable")


def udp_echo(server):
    sizes = [s for s in (0, 1, 100, 1472, 1473, 1800, 4000, 9000, 32768,
                         65507) if s <= server.lab.largest]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((STACK, 7))
        s.settimeout(3)
        for size in sizes:
            sent = bytes((i * 7 + size) & 0xFF for i in range(size))
            s.send(sent)
            expect(s.recv(70000) == sent, f"{size} bytes came back different")
    return f"up to {sizes[-1]} bytes"


def udp_tools(_server):
    done = run("nc", "-u", "-w", "1", STACK, "7", data="by nc")
    expect_equal(done.stdout, "by nc", "nc -u")
    done = run("socat", "-t1", "-", f"UDP:{STACK}:7", data="by socat")
    expect_equal(done.stdout, "by socat", "socat UDP")
