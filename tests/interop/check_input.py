"""Command lines that cannot work: one line, exit code 2, nothing left."""

import glob
import os
import subprocess

from lab import expect, expect_equal

ADDRESS = ("--addr", "10.77.0.2/24")
NULL = ("--dev", "null", *ADDRESS)

# What is typed, and a word that the one line must have.
TABLE = (
    ((), "command"),
    (("frobnicate",), "frobnicate"),
    (("htp",), "http"),
    (("--dev", "tap"), "--dev"),
    (("http", "--frobnicate"), "--frobnicate"),
    (("http", "extra", *NULL), "extra"),
    (("http",), "--addr"),
    (("http", "--dev", "null"), "--addr"),
    (("http", "--addr"), "--addr"),
    (("http", "--dev", "tapp", *ADDRESS), "tap"),
    (("http", "--dev", "", *ADDRESS), "--dev"),
    (("http", "--dev", "tap,ifcae=x", *ADDRESS), "ifcae"),
    (("http", "--dev", "tap,iface=this-name-is-too-long", *ADDRESS),
     "this-name-is-too-long"),
    (("http", "--dev", "af_packet", *ADDRESS), "iface"),
    (("http", "--dev", "af_packet,iface=nope0", *ADDRESS), "nope0"),
    (("http", "--dev", "af_xdp,iface=nope0", *ADDRESS), "nope0"),
    (("http", "--dev", "pci,nonsense", *ADDRESS), "nonsense"),
    (("http", "--dev", "null", "--addr", "10.77.0.2"), "/24"),
    (("http", "--dev", "null", "--addr", "10.77.0.256/24"), "10.77.0.256"),
    (("http", "--dev", "null", "--addr", "10.77.0.2/33"), "10.77.0.2/33"),
    (("http", "--dev", "null", "--addr", "10.77.0.0/24"), "10.77.0.0"),
    (("http", "--dev", "null", "--addr", "10.77.0.255/24"), "10.77.0.255"),
    (("http", "--dev", "null", "--addr", "224.0.0.1/24"), "224.0.0.1"),
    (("http", "--dev", "null", "--addr", "127.0.0.1/8"), "127.0.0.1"),
    (("http", "--dev", "null", "--addr", "fe80::1/64"), "fe80::1"),
    (("http", "--dev", "null", "--addr", "10.77.0.2/24@7"), "@7"),
    (("http", *NULL, *ADDRESS), "10.77.0.2"),
    (("http", *NULL, "--gateway", "10.99.0.1"), "10.99.0.1"),
    (("http", *NULL, "--gateway", "here"), "here"),
    (("http", *NULL, "--route", "10.0.0.0/8"), "10.0.0.0/8"),
    (("http", *NULL, "--listen", "10.77.0.3"), "10.77.0.3"),
    (("blast",), "echo, http, udp"),
    (("blast", "send", *NULL), "--target"),
    (("blast", "send", "10.77.0.1", *NULL), "10.77.0.1:9000"),
    (("blast", "send", "10.77.0.1:9", "--rate", "0", *NULL), "1Gbps"),
    (("blast", "send", "10.77.0.1:9", "--target", "10.77.0.1:9", *NULL),
     "leave one"),
    (("blast", "receive", "10.77.0.1:19", "--poisson", *NULL),
     "echo, http, udp"),
    (("blast", "receive", "10.77.0.1:19", "--slo", "throughput>x", *NULL),
     "1Gbps"),
    (("blast", "dns", "10.77.0.1:53", "--rate", "1", *NULL), "--queries"),
    (("blast", "echo", "10.77.0.1:7", "--rate", "1k..", *NULL), "--rate ''"),
    (("blast", "echo", "10.77.0.1:7", "--rate", "1k,0", *NULL), "above 0"),
    (("blast", "hold", "10.77.0.1:7", *NULL), "--connections"),
    (("blast", "hold", "10.77.0.1:7", "--connections", "1.5", *NULL), "10k"),
    (("blast", "hold", "10.77.0.1:7", "--connections", "1M", *NULL),
     "--sources"),
    (("blast", "hold", "10.77.0.1:7", "--connections", "1k", "--active", "0%",
      *NULL), "1%"),
    (("blast", "hold", "10.77.0.1:7", "--connections", "1k", "--rate", "1",
      *NULL), "--active"),
    (("blast", "echo", "10.77.0.1:7", "--rate", "1", "--sources",
      "10.77.0.0/24", *NULL), "the target"),
    (("blast", "echo", "10.77.0.1:7", "--rate", "1", "--sources",
      "10.77.16.1/24", *NULL), "10.77.16.0/24"),
    (("blast", "echo", "10.77.0.1:7", "--rate", "1", "--sources",
      "224.0.0.0/24", *NULL), "no host"),
    (("blast", "echo", "10.77.0.1:7", "--rate", "1", "--any-bytes", *NULL),
     "receive"),
    (("blast", "udp", "10.77.0.1:7", "--rate", "1", "--stateless", *NULL),
     "echo, http, hold"),
    (("blast", "hold", "10.77.0.1:7", "--connections", "1k", "--active", "1%",
      "--stateless", *NULL), "--active"),
    (("blast", "hold", "10.77.0.1:7", "--connections", "65k", "--stateless",
      *NULL), "--sources"),
    (("blast", "http", "10.77.0.1:80", "--closed", "--concurrency", "65k",
      "--stateless", *NULL), "65k"),
    (("blast", "http", "10.77.0.1:80", "--closed", "--concurrency", "65000",
      "--stateless", *NULL), "--sources"),
    (("blast", "http", "10.77.0.1:80", "--rate", "1k", "--open-rate", "9",
      "--stateless", *NULL), "--rate"),
    (("blast", "echo", "10.77.0.1:7", "--rate", "1k", "--size", "1449",
      "--stateless", *NULL), "1448"),
    (("blast", "echo", "10.77.0.1:7", "--rate", "1k", "--cores", "0,1",
      "--stateless", *NULL), "one core"),
    (("blast", "pps", "--rate", "0", *NULL), "above 0"),
    (("blast", "pps", "--size", "60", *NULL), "at least 64"),
    (("blast", "pps", "--size", "64-1519", *NULL), "1518"),
    (("blast", "pps", "--tx-only", "--reflect", *NULL), "one of"),
    (("blast", "pps", "--flows", "64513", *NULL), "--addr"),
    (("blast", "replay", "--dev", "null"), "say which file"),
    (("blast", "replay", "/nonexistent", "--dev", "null"), "/nonexistent"),
    (("blast", "replay", "/dev/null", "--dev", "null"), "empty"),
    (("blast", "replay", "/proc/version", "--dev", "null"), "no capture"),
    (("blast", "replay", "x", "--speed", "fast", "--dev", "null"), "--speed"),
    (("blast", "replay", "x", "--size", "64", "--dev", "null"), "--size"),
    (("blast", "replay", "x", "--cores", "0,1", "--dev", "null"), "one core"),
    (("blast", "pps", "--cores", "0,1", *NULL), "at least 2"),
    (("blast", "pps", "--find-max-rate", "--rate", "1k,2k", *NULL),
     "by itself"),
    (("blast", "htp", *NULL), "http"),
    (("blast", "http", "--rate", "1k", *NULL), "--target"),
    (("blast", "http", "--target", "10.77.0.1:80", *NULL), "--closed"),
    (("blast", "http", "--target", "10.77.0.1:80", "--rate", "0", *NULL),
     "--rate"),
    (("blast", "udp", "--target", "10.77.0.1:7", "--rate", "1", "--size",
      "65508", *NULL), "65507"),
    (("blast", "echo", "--target", "10.77.0.1:7", "--rate", "1", "--slo",
      "p98<1us", *NULL), "p99"),
    (("http", *NULL, "--port", "0"), "--port"),
    (("http", *NULL, "--port", "65536"), "65536"),
    (("http", *NULL, "--port", "http"), "http"),
    (("http", *NULL, "--port", "80", "--port", "81"), "--port"),
    (("http", *NULL, "--max-connections", "0"), "--max-connections"),
    (("http", *NULL, "--max-connections", "99999999999"), "99999999999"),
    (("http", *NULL, "--mtu", "10"), "--mtu"),
    (("http", *NULL, "--mtu", "100000"), "--mtu"),
    (("http", *NULL, "--idle", "maybe"), "maybe"),
    (("http", *NULL, "--huge", "maybe"), "maybe"),
    (("http", *NULL, "--memory", "0"), "--memory"),
    (("http", *NULL, "--memory", "1"), "--memory"),
    (("http", *NULL, "--cores", "1000"), "--cores"),
    (("http", *NULL, "--grace", "-1s"), "--grace"),
    (("http", *NULL, "--name", "a/b"), "a/b"),
    (("http", *NULL, "--size", "-1"), "-1"),
    (("http", *NULL, "--size", "ten"), "ten"),
    (("http", *NULL, "--size", "99999999999999999999"), "--size"),
    (("http", *NULL, "--size", "2000000000"), "--max-content"),
    (("http", *NULL, "--size", "1", "--body", "x"), "--body"),
    (("http", *NULL, "--root", "/nonexistent"), "/nonexistent"),
    (("http", *NULL, "--root", "/proc/version"), "/proc/version"),
    (("http", *NULL, "--", "--no-such-eal-flag"), "--no-such-eal-flag"),
    (("echo", "--frobnicate"), "--frobnicate"),
    (("echo", *NULL, "--size", "5"), "--size"),
    (("netstat", "--name", "nobody-has-this-name"), "nobody-has-this-name"),
    (("stats", "--name", "../../etc"), "../../etc"),
    (("netstat", "--frobnicate"), "--frobnicate"),
)


def _try(command, word, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=15,
                          **options)
    lines = done.stderr.strip().splitlines()
    problems = []
    if done.returncode != 2:
        problems.append(f"exit code {done.returncode}")
    if len(lines) != 1:
        problems.append(f"{len(lines)} lines")
    if word not in done.stderr:
        problems.append(f"no {word!r}")
    if done.stdout and "--" not in command:
        problems.append("something on stdout")  # else it is DPDK's usage text
    return f"{', '.join(problems)}: {done.stderr[:300]!r}" if problems else ""


def command_line(lab, words, expected):
    # In the lab's namespace, lest a mistake of ours meets a real interface.
    problem = _try(("ip", "netns", "exec", lab.stack_ns, lab.corelane, *words),
                   expected)
    expect(not problem, problem)


def no_permission(lab):
    problem = _try(
        (lab.corelane, "http", "--dev", "tap,iface=cl9", *ADDRESS), "root",
        user=65534, group=65534, extra_groups=())
    expect(not problem, problem)


def no_tun(lab):
    """A container without /dev/net/tun."""
    problem = _try(
        ("ip", "netns", "exec", lab.stack_ns, "unshare", "-m", "sh", "-c",
         'mount -t tmpfs none /dev/net && exec "$0" "$@"', lab.corelane,
         "http", "--dev", "tap,iface=cl9", *ADDRESS), "/dev/net/tun")
    expect(not problem, problem)


def no_huge_pages(lab):
    """--huge=require where there are none."""
    for path in glob.glob("/sys/kernel/mm/hugepages/*/nr_hugepages"):
        with open(path, encoding="ascii") as f:
            if int(f.read()) > 0:
                return "this machine has some; not tried"
    problem = _try(
        ("ip", "netns", "exec", lab.stack_ns, lab.corelane, "http", *NULL,
         "--huge", "require"), "huge")
    expect(not problem, problem)
    return ""


def nothing_left(lab, before):
    expect_equal(set(os.listdir("/var/run/dpdk")) - before, set(),
                 "in /var/run/dpdk")
    out = subprocess.run(("ip", "-n", lab.stack_ns, "-o", "link"), text=True,
                         capture_output=True, check=True).stdout
    names = {line.split(":")[1].strip().split("@")[0]
             for line in out.splitlines()}
    expect_equal(names, {"lo"}, "interfaces")
