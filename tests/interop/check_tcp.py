"""The echo service: bytes there and back, many at once, and endings."""

import asyncio
import hashlib
import random
import re
import selectors
import socket
import struct
import subprocess
import time

from lab import KERNEL, STACK, Failure, expect, expect_equal, run, wait_until

MEGABYTE = 1_000_000
ECHO = (STACK, 7)


def nc_and_socat(_server):
    done = run("nc", "-N", "-w", "5", STACK, "7", data="by nc\n")
    expect_equal(done.stdout, "by nc\n", "nc")
    text = "".join(f"line {i}\n" for i in range(20000))
    done = run("socat", "-t5", "-", f"TCP:{STACK}:7", data=text)
    expect(done.stdout == text, "socat: came back different")


def bulk_echo(_server):
    """100 MB each way at once, compared by checksum."""
    total = 100 * MEGABYTE
    block = random.Random(1).randbytes(MEGABYTE)
    sent_hash, received_hash = hashlib.sha256(), hashlib.sha256()
    sent = received = 0
    begin = time.monotonic()
    with socket.create_connection(ECHO, timeout=10) as s, \
            selectors.DefaultSelector() as selector:
        s.setblocking(False)
        both = selectors.EVENT_READ | selectors.EVENT_WRITE
        selector.register(s, both)
        while received < total:
            ready = selector.select(10)
            expect(ready, f"stuck: {sent} sent, {received} received")
            if ready[0][1] & selectors.EVENT_READ:
                data = s.recv(1 << 20)
                expect(data, f"closed after {received} bytes")
                received_hash.update(data)
                received += len(data)
            if ready[0][1] & selectors.EVENT_WRITE and sent < total:
                at = sent % MEGABYTE
                rest = memoryview(block)[at:at + min(1 << 18, total - sent)]
                n = s.send(rest)
                sent_hash.update(rest[:n])
                sent += n
                if sent == total:
                    s.shutdown(socket.SHUT_WR)
                    selector.modify(s, selectors.EVENT_READ)
        s.setblocking(True)
        s.settimeout(10)
        expect_equal(s.recv(1), b"", "after the last byte")
    expect_equal(received_hash.digest(), sent_hash.digest(), "SHA-256")
    rate = 8 * total / (time.monotonic() - begin) / 1e6
    return f"{rate:.0f} Mbit/s each way"


def half_close(_server):
    with socket.create_connection(ECHO, timeout=5) as s:
        s.sendall(b"x" * 50000)
        s.shutdown(socket.SHUT_WR)
        received = b""
        while data := s.recv(65536):
            received += data
    expect_equal(len(received), 50000, "bytes back after our FIN")


def slow_reader(_server):
    """The echo stops reading while we do, and goes on afterwards."""
    total = 5 * MEGABYTE
    with socket.create_connection(ECHO, timeout=5) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        s.setblocking(False)
        sent = 0
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < 0.5 and sent < total:
            try:
                sent += s.send(b"y" * 65536)
                idle_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        expect(sent < total, "it took everything without an end")
        s.settimeout(10)
        received = 0
        while received < sent:
            received += len(s.recv(65536))
    return f"{sent} bytes in the way"


def resets(server):
    for _ in range(50):
        s = socket.create_connection(ECHO, timeout=5)
        s.sendall(b"z" * 1000)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
        s.close()
    wait_until(lambda: established(server) == 0, 3, "resets forgotten")


def established(server):
    table = server.ask("netstat", "-t").stdout
    return len(re.findall(r"ESTABLISHED", table))


def active_open(lab):
    """The stack connects: to a server of ours, to socat, to nobody."""
    text = "".join(f"line {i}\n" for i in range(20000))
    with socket.create_server(("0.0.0.0", 7001)) as ours, subprocess.Popen(
            ["socat", "-t5", "TCP-LISTEN:7002,reuseaddr", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as socat:
        try:
            server = lab.start(
                "echo", *(word for port in (7001, 7002, 7003)
                          for word in ("--connect", f"{KERNEL}:{port}")))
            ours.settimeout(10)
            peer, address = ours.accept()
            with peer:
                expect_equal(address[0], STACK, "who connected")
                peer.settimeout(5)
                peer.sendall(b"x" * 1000)
                peer.shutdown(socket.SHUT_WR)
                received = b""
                while data := peer.recv(65536):
                    received += data
                expect_equal(received, b"x" * 1000, "the echo")
            expect(socat.communicate(text, timeout=15)[0] == text,
                   "socat: came back different")
        finally:
            socat.kill()
    wait_until(lambda: "connection refused" in server.log(), 5,
               "a refusal in the log")
    expect_equal(server.stop(), 0, "exit code")


async def _one_of_many(number, everyone):
    reader, writer = await asyncio.open_connection(*ECHO)
    await everyone.wait()
    for turn in range(3):
        message = f"{number}/{turn};".encode() * 20
        writer.write(message)
        expect(await reader.readexactly(len(message)) == message,
               f"connection {number}: came back different")
    return writer


async def _many(server, count):
    everyone = asyncio.Event()
    tasks = [asyncio.create_task(_one_of_many(i, everyone))
             for i in range(count)]
    await asyncio.sleep(1)
    everyone.set()
    try:
        writers = await asyncio.wait_for(asyncio.gather(*tasks), 40)
    except asyncio.TimeoutError:
        done = sum(t.done() for t in tasks)
        raise Failure(f"only {done} of {count} connections got through") \
            from None
    seen = established(server)
    for writer in writers:
        writer.close()
    await asyncio.gather(*(w.wait_closed() for w in writers))
    return seen


def thousand(server):
    seen = asyncio.run(_many(server, 1000))
    expect_equal(seen, 1000, "ESTABLISHED in netstat")
    wait_until(lambda: established(server) == 0, 5, "all closed")
