"""The HTTP server, asked by curl, wrk and by hand."""

import hashlib
import ipaddress
import json
import os
import random
import re
import socket
import time

from lab import KERNEL, PREFIX, STACK, expect, expect_equal, run

URL = f"http://{STACK}"
BIG = 100_000_000


def make_root(folder):
    """The files that are served. Returns the SHA-256 of the big one."""
    os.makedirs(f"{folder}/sub")
    for name, text in (
        ("index.html", "<p>top</p>\n"),
        ("small.txt", "small\n"),
        ("sub/index.html", "<p>sub</p>\n"),
        (".secret", "hidden\n"),
    ):
        with open(f"{folder}/{name}", "w", encoding="ascii") as f:
            f.write(text)
    for i in range(50):
        with open(f"{folder}/{i}.txt", "w", encoding="ascii") as f:
            f.write(f"{i}\n" * (i * 40))
    digest = hashlib.sha256()
    source = random.Random(2)
    with open(f"{folder}/big.bin", "wb") as f:
        for _ in range(BIG // 1_000_000):
            block = source.randbytes(1_000_000)
            digest.update(block)
            f.write(block)
    return digest.hexdigest()


def curl(*words, **options):
    return run("curl", "-sS", "--max-time", "20", *words, **options)


def status(*words):
    return int(curl("-o", "/dev/null", "-w", "%{http_code}", *words).stdout)


def fields(*words):
    text = curl("-D", "-", "-o", "/dev/null", *words).stdout
    return {k.lower(): v for k, v in re.findall(r"(\S+): (.*)\r?\n", text)}


def get_and_head(_server):
    expect_equal(curl(f"{URL}/").stdout, "<p>top</p>\n", "GET /")
    expect_equal(curl(f"{URL}/small.txt?query#no").stdout, "small\n", "a query")
    got = fields(f"{URL}/small.txt")
    head = fields("-I", f"{URL}/small.txt")
    expect_equal(got["content-type"], "text/plain; charset=utf-8", "the type")
    expect_equal(got["content-length"], "6", "the length")
    expect_equal({k: v for k, v in head.items() if k != "date"},
                 {k: v for k, v in got.items() if k != "date"}, "HEAD")
    expect(re.fullmatch(r"\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT",
                        got["date"]), f"Date: {got['date']}")
    expect_equal(curl("-L", f"{URL}/sub").stdout, "<p>sub</p>\n", "a folder")


def keep_alive(_server):
    urls = [f"{URL}/{i}.txt" for i in range(50)]
    out = curl("-w", "\n#%{num_connects}\n", *urls).stdout
    connects = sum(int(n) for n in re.findall(r"^#(\d+)$", out, re.M))
    expect_equal(connects, 1, "connections for 50 requests")
    bodies = re.sub(r"\n#\d+\n", "", out)
    expect(bodies == "".join(f"{i}\n" * (i * 40) for i in range(50)),
           "the bodies differ")
    out = curl("--http1.0", f"{URL}/small.txt", f"{URL}/small.txt").stdout
    expect_equal(out, "small\nsmall\n", "HTTP/1.0")


def statuses(_server):
    expect_equal(status(f"{URL}/none"), 404, "a missing file")
    expect_equal(status(f"{URL}/.secret"), 404, "a hidden file")
    expect_equal(status("--path-as-is", f"{URL}/../etc/passwd"), 400,
                 "a way out of the root")
    expect_equal(status("-X", "BREW", URL), 501, "an unknown method")
    expect_equal(status("-H", "X: " + "x" * 20000, URL), 431, "a long head")
    expect_equal(status(f"{URL}/" + "a" * 8100), 414, "a long path")


def not_modified(_server):
    tag = fields(f"{URL}/small.txt")["etag"]
    expect_equal(status("-H", f"If-None-Match: {tag}", f"{URL}/small.txt"),
                 304, "with its tag")
    expect_equal(status("-H", 'If-None-Match: "other"', f"{URL}/small.txt"),
                 200, "with another")


def request_bodies(_server):
    """Read past and refused, the connection going on."""
    body = "@/proc/self/exe"
    for words in (
        ("-d", "a=b"),
        ("--data-binary", body),
        ("--data-binary", body, "-H", "Transfer-Encoding: chunked"),
        ("--data-binary", body, "-H", "Expect: 100-continue"),
        ("--data-binary", body, "-H", "Transfer-Encoding: chunked",
         "-H", "Expect: 100-continue"),
        ("-T", "/proc/version"),
    ):
        out = curl("-o", "/dev/null", "-w", "%{http_code} %{num_connects};",
                   *words, URL, "--next", "-sS", "-o", "/dev/null",
                   "-w", "%{http_code} %{num_connects}", URL).stdout
        expect_equal(out, "405 1;200 0", " ".join(words))


def pipelined(_server):
    """Requests in one go, and byte by byte."""
    requests = b"".join(
        b"GET /%d.txt HTTP/1.1\r\nHost: a\r\n\r\n" % (i % 50)
        for i in range(200))
    with socket.create_connection((STACK, 80), timeout=10) as s:
        s.sendall(requests)
        reader = s.makefile("rb")
        for i in range(200):
            expect_equal(_response(reader), b"%d\n" % (i % 50) * (i % 50 * 40),
                         f"answer {i}")
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /small.txt HTTP/1.1\r\nHost: a\r\n\r\n":
            s.send(bytes([byte]))
            time.sleep(0.001)
        expect_equal(_response(reader), b"small\n", "byte by byte")


def _response(reader):
    expect(reader.readline().startswith(b"HTTP/1.1 200 "), "a status line")
    length = 0
    while (line := reader.readline()) not in (b"\r\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return reader.read(length)


def bulk(_server, digest):
    """100 MB from the stack; and a client that goes away in the middle."""
    out = curl("--max-time", "1", "--limit-rate", "1M", "-o", "/dev/null",
               f"{URL}/big.bin", check=False)
    expect_equal(out.returncode, 28, "curl's time limit")
    begin = time.monotonic()
    done = run("sh", "-c",
               f"curl -sS --max-time 40 {URL}/big.bin | sha256sum", timeout=50)
    took = time.monotonic() - begin
    expect_equal(done.stdout.split()[0], digest, "SHA-256")
    return f"{8 * BIG / took / 1e6:.0f} Mbit/s"


def cut_by_the_device(server, digest):
    """net_tap cuts, with DPDK's own rte_gso; of what fits its MTU only if the
    Ethernet header is counted in, so the kernel asks for shorter segments."""
    run("ip", "-n", server.lab.kernel_ns, "route", "replace",
        str(ipaddress.ip_network(f"{KERNEL}/{PREFIX}", strict=False)), "dev",
        server.lab.kernel_interface, "src", KERNEL, "advmss", "1400")
    said = bulk(server, digest)
    counters = json.loads(server.ask("stats", "--json").stdout)["counters"]
    expect(counters["tx_large"] > 1000,
           f"the device cut {counters['tx_large']} segments")
    mean = BIG / counters["tx_packets"]
    return f"{said}, {mean:.0f} bytes a frame"


def wrk(_server):
    out = run("wrk", "-t2", "-c64", "-d2s", "--latency",
              f"{URL}/small.txt").stdout
    expect("Socket errors" not in out, f"socket errors: {out!r}")
    expect("Non-2xx" not in out, f"other answers: {out!r}")
    rate = float(re.search(r"Requests/sec:\s+([0-9.]+)", out)[1])
    expect(rate > 100, f"{rate} requests a second")
    return f"{rate:.0f} requests/s, median " + \
        re.search(r"^ +50% +(\S+)", out, re.M)[1]
