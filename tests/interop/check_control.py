"""Looking in, idling, stopping, starting again."""

import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from lab import (KERNEL, STACK, Failure, expect, expect_equal, run,
                 wait_until)

TELEMETRY = "dpdk_telemetry.v2"


def looks(server):
    """The commands' output has the shape that people and scripts expect."""
    with socket.create_connection((STACK, 80), timeout=5) as s:
        local = s.getsockname()[1]
        table = server.ask("netstat", "-a").stdout
        wide = server.ask("netstat", "--wide", "-t").stdout
        servers = server.ask("netstat", "-l").stdout
    expect(re.search(r"^Proto Recv-Q Send-Q Local Address +Foreign Address "
                     r"+State$", table, re.M), f"netstat's head: {table!r}")
    expect(re.search(r"^tcp +0 +0 0\.0\.0\.0:80 +0\.0\.0\.0:\* +LISTEN$",
                     table, re.M), f"the listener: {table!r}")
    expect(re.search(rf"^tcp +0 +0 {STACK}:80 +{KERNEL}:{local} +ESTABLISHED$",
                     table, re.M), f"the connection: {table!r}")
    expect("LISTEN" in servers and "ESTABLISHED" not in servers,
           f"netstat -l: {servers!r}")
    for word in ("snd_una", "rcv_nxt", "cwnd", "ssthresh", "srtt", "rto"):
        expect(word in wide, f"netstat --wide has no {word}")
    expect("rx_packets" in server.ask("stats").stdout, "stats")
    expect(KERNEL in server.ask("arp").stdout, "arp")
    expect("10.77.0.0/24" in server.ask("route").stdout, "route")
    ports = server.ask("ports").stdout
    expect(re.search(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", ports), f"ports: {ports}")
    for command in ("netstat", "stats", "arp", "route", "ports"):
        json.loads(server.ask(command, "--json").stdout)


def accounted(server):
    """rx = delivered + the sum of the drops."""
    stats = json.loads(server.ask("stats", "--json").stdout)
    received = find_counter(stats, "rx_packets")
    delivered = find_counter(stats, "delivered")
    drops = find_counter(stats, "drops")
    if isinstance(drops, dict):
        drops = sum(v for v in drops.values() if isinstance(v, int))
    expect_equal(delivered + drops, received, "delivered + drops")
    return f"{received} packets, {drops} dropped"


def changes(server):
    """Addresses and routes of a running instance."""
    third, foreign = "10.77.0.3", KERNEL
    server.ask("addr", "add", f"{third}/24")
    run("ping", "-c", "1", "-W", "2", third)
    with socket.create_connection((third, 80), timeout=5) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        expect(s.recv(100).startswith(b"HTTP/1.1 200 "), "no answer")
    expect("in use" in server.ask("addr").stdout, "addr")
    done = server.ask("addr", "add", f"{foreign}/24", check=False)
    expect_equal(done.returncode, 2, "exit code for an address of another host")
    expect_equal(done.stderr.count("\n"), 1, f"lines: {done.stderr!r}")
    expect(foreign in done.stderr, f"the message: {done.stderr!r}")
    server.ask("route", "add", f"10.99.0.0/16,{KERNEL}")
    expect("10.99.0.0/16" in server.ask("route").stdout, "route add")
    _two_gateways(server)
    server.ask("route", "del", "10.99.0.0/16")
    with socket.create_connection((third, 80), timeout=5) as s:
        wait_until(lambda: f"{third}:80" in server.ask("netstat").stdout, 3,
                   "the connection in netstat")
        server.ask("addr", "del", third)
        try:
            expect_equal(s.recv(10), b"", "a removed address's connection")
        except ConnectionResetError:
            pass
    expect(third not in server.ask("addr").stdout, "addr del")
    server.ask("arp", "flush")
    run("ping", "-c", "1", "-W", "2", STACK)


def _two_gateways(server):
    """Equal ways to one network; the kernel is behind both, and then behind
    one of them only."""
    device, second, remote = server.lab.kernel_interface, "10.77.0.7", "10.99.0.1"
    run("ip", "addr", "add", f"{second}/24", "dev", device)
    run("ip", "addr", "add", f"{remote}/32", "dev", "lo")
    try:
        server.ask("route", "add", f"10.99.0.0/16,{second}")
        table = server.ask("route").stdout
        expect_equal(table.count("10.99.0.0/16"), 2, "ways shown")
        for _ in range(8):
            run("curl", "-s", "-o", "/dev/null", "--max-time", "5",
                "--interface", remote, f"http://{STACK}/")
        server.ask("route", "del", f"10.99.0.0/16,{second}")
        expect_equal(server.ask("route").stdout.count("10.99.0.0/16"), 1,
                     "ways left")
    finally:
        run("ip", "addr", "del", f"{second}/24", "dev", device)
        run("ip", "addr", "del", f"{remote}/32", "dev", "lo")


def top(server):
    rows = json.loads(server.ask("top", "--once", "--json", "--interval",
                                 "200ms").stdout)
    expect(rows and "busy_percent" in rows[0], f"top: {rows}")
    table = server.ask("top", "--once", "--interval", "200ms").stdout
    expect(re.search(r"^CORE +CPU +BUSY%", table), f"top: {table!r}")
    expect("\x1b" not in table, "escape sequences in a pipe")


def capture(server):
    """A file that tshark reads, and the same packets field by field."""
    with tempfile.NamedTemporaryFile(suffix=".pcapng") as file:
        watching = subprocess.Popen(
            [server.lab.corelane, "capture", "icmp", "-w", file.name,
             "--decode", "--max-packets", "4", "--seconds", "20",
             "--name", server.name],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            run("curl", "-s", "-o", "/dev/null", f"http://{STACK}/")
            end = time.monotonic() + 15
            while watching.poll() is None and time.monotonic() < end:
                run("ping", "-c", "1", "-W", "1", STACK)
            text, errors = watching.communicate(timeout=10)
        finally:
            watching.kill()
        expect_equal(watching.returncode, 0, f"exit code ({errors!r})")
        for words in ("type                   8 (echo request)",
                      "type                   0 (echo reply)",
                      f"source address         {STACK}", "(correct)"):
            expect(words in text, f"--decode has no {words!r}: {text[:600]!r}")
        if shutil.which("tshark"):
            tool = ("tshark", "-n", "-r", file.name)
        else:
            tool = ("tcpdump", "-n", "-r", file.name)
        done = run(*tool)
        lines = done.stdout.strip().splitlines()
        expect_equal(len(lines), 4, f"packets of {tool[0]}: {done.stdout!r}")
        for line in lines:
            expect("ICMP" in line and STACK in line, line)
        again = server.ask("capture", "tcp", "-w", file.name, "--seconds", "1")
        expect_equal(again.returncode, 0, "a second capture")
        return f"by {tool[0]}"


SAMPLE = re.compile(r'^[a-z0-9_]+\{core="\d+"(,reason="[a-z0-9_]+")?\} [0-9.e+-]+$')


def metrics(server):
    """Prometheus' text format: each family has HELP and TYPE, then samples."""
    def scrape(path="/metrics"):
        done = run("curl", "-s", "-m", "5", "-w", "\n%{http_code}",
                   f"http://{STACK}:9100{path}")
        body, _, code = done.stdout.rpartition("\n")
        return body, code

    wait_until(lambda: scrape()[1] == "200", 5, "metrics")
    body, _ = scrape()
    family, kind, samples = None, None, 0
    for line in body.splitlines():
        words = line.split()
        if line.startswith("# HELP "):
            family = words[2]
        elif line.startswith("# TYPE "):
            expect_equal(words[2], family, "TYPE's family")
            kind = words[3]
        else:
            expect(SAMPLE.match(line), f"sample: {line!r}")
            expect_equal(line.split("{")[0], family, "sample's family")
            expect(family.endswith("_total") == (kind == "counter"), line)
            samples += 1
    expect(samples > 100, f"{samples} samples")
    expect_equal(scrape("/")[1], "404", "another path")
    return f"{samples} samples"


def find_counter(tree, name):
    if isinstance(tree, dict):
        if name in tree:
            value = tree[name]
            return value["value"] if isinstance(value, dict) and \
                "value" in value else value
        for value in tree.values():
            try:
                return find_counter(value, name)
            except LookupError:
                pass
    raise LookupError(f"no {name} in the statistics")


def _telemetry_socket(name):
    found = glob.glob(f"/var/run/dpdk/{name}/{TELEMETRY}*")
    expect(found, f"no telemetry socket of {name}")
    return found[0]


def telemetry(server):
    """What DPDK's own tool asks, and the tool itself where it is installed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(5)
        s.connect(_telemetry_socket(server.name))
        expect_equal(json.loads(s.recv(4096))["pid"], server.pid, "the pid")
        s.send(b"/")
        commands = json.loads(s.recv(65536))["/"]
        for command in ("/corelane/netstat", "/corelane/stats",
                        "/corelane/ports", "/ethdev/list"):
            expect(command in commands, f"no {command}")
        s.send(b"/corelane/stats")
        expect("rx_packets" in s.recv(65536).decode(), "/corelane/stats")
    places = glob.glob("/usr/share/dpdk/usertools/dpdk-telemetry.py")
    tool = shutil.which("dpdk-telemetry.py") or (places[0] if places else None)
    if tool is None:
        return "dpdk-telemetry.py is not installed"
    done = run("python3", tool, "-f", server.name,
               data="/corelane/stats\nquit\n")
    expect("rx_packets" in done.stdout, f"dpdk-telemetry.py: {done.stdout!r}")
    return "with dpdk-telemetry.py"


def idle(server):
    """An idle instance sleeps. The aim is 5 % of a core."""
    time.sleep(0.5)
    before = server.cpu_seconds()
    time.sleep(2)
    share = 50 * (server.cpu_seconds() - before)
    expect(share < 20, f"{share:.1f} % of a core when idle")
    return f"{share:.1f} % of a core"


def _left_behind(lab, name):
    left = glob.glob(f"/var/run/dpdk/{name}*")
    if lab.device == "tap" and lab.has_interface():
        left.append("the interface cl0")
    return left


def _answers():
    with socket.create_connection((STACK, 80), timeout=5) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        expect(s.recv(100).startswith(b"HTTP/1.1 200 "), "no answer")


def stop_in_order(server):
    """SIGTERM while a connection is open: it ends with a FIN, not a reset."""
    quiet = socket.create_connection((STACK, 80), timeout=5)
    # Until then the handshake's last ACK may not have been looked at.
    wait_until(lambda: "ESTABLISHED" in server.ask("netstat", "-t").stdout, 3,
               "the connection in netstat")
    begin = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    expect_equal(quiet.recv(10), b"", "the open connection's end")
    quiet.close()
    expect_equal(server.process.wait(10), 0, "exit code")
    took = time.monotonic() - begin
    # libxdp may have a word of its own at the end.
    last = [line for line in server.log().splitlines()
            if line.startswith("corelane: ")][-1]
    expect(re.search(r"stopped: \d+ connections.*, \d+ packets", last),
           f"the last line: {last!r}")
    expect_equal(_left_behind(server.lab, server.name), [], "left behind")
    return f"{took:.1f} s"


def start_again(lab):
    """The same name, again and again: after Ctrl-C and after kill -9."""
    name = f"again-{os.getpid()}"
    for number, code in ((signal.SIGINT, 0), (signal.SIGKILL, -9),
                         (signal.SIGTERM, 0)):
        server = lab.start("http", name=name)
        _answers()
        expect_equal(server.stop(number), code, f"exit after signal {number}")
        if lab.device == "tap":
            wait_until(lambda: not lab.has_interface(), 3, "the tap's end")
    expect_equal(_left_behind(lab, name), [], "left behind")


def name_in_use(lab):
    first = lab.start("http")
    second = lab.launch("http", "--dev", "null", "--addr", "10.77.9.2/24",
                        name=first.name)
    _refused(second, first.name)
    _answers()
    expect_equal(first.stop(), 0, "exit code of the first")


def address_in_use(lab):
    """The kernel has the address already, on the same wire."""
    if lab.device == "tap":
        raise Failure("there is nobody on a tap that is not up yet")
    run("ip", "-n", lab.kernel_ns, "addr", "add", f"{STACK}/24", "dev",
        lab.kernel_interface)
    try:
        server = lab.launch("http", "--dev", lab.dev_flag(), "--addr",
                            f"{STACK}/24", "--quiet")
        _refused(server, STACK)
    finally:
        run("ip", "-n", lab.kernel_ns, "addr", "del", f"{STACK}/24", "dev",
            lab.kernel_interface)


def _refused(server, word):
    try:
        code = server.process.wait(15)
    except subprocess.TimeoutExpired:
        raise Failure("it runs") from None
    expect_equal(code, 2, "exit code")
    last = server.log().strip().splitlines()[-1]
    expect(word in last, f"the last line does not say {word}: {last!r}")
