"""Namespaces, running instances and the report: what the checks stand on.

Everything that is made here has this process's number in its name and is
unmade by Lab.close(), so that runs can overlap and leave nothing behind.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

STACK = "10.77.0.2"
KERNEL = "10.77.0.1"
ABSENT = "10.77.0.99"
PREFIX = 24

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """What was expected did not happen."""


def expect(condition, message):
    if not condition:
        raise Failure(message)


def expect_equal(actual, wanted, what):
    expect(actual == wanted, f"{what}: {actual!r} instead of {wanted!r}")


def run(*command, timeout=30, data=None, check=True, text=True):
    """Runs a command to its end, in the current namespace."""
    done = subprocess.run(
        command, input=data, timeout=timeout, text=text, capture_output=True
    )
    if check and done.returncode != 0:
        raise Failure(
            f"{' '.join(command[:6])} ended with {done.returncode}: "
            f"{(done.stderr or done.stdout or '')[-300:]!r}"
        )
    return done


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < end, f"{what}: not within {seconds} s")
        time.sleep(0.02)


def enter(namespace_file):
    """Moves this process, and what it starts, into a network namespace."""
    fd = os.open(namespace_file, os.O_RDONLY)
    try:
        if _libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace_file}")
    finally:
        os.close(fd)


class Server:
    """A running corelane."""

    def __init__(self, lab, name, process, log):
        self.lab = lab
        self.name = name
        self.process = process
        self._log = log

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        with open(self._log.name, encoding="utf-8", errors="replace") as f:
            return f.read()

    def running(self):
        return self.process.poll() is None

    def ask(self, *words, check=True):
        """Runs one of the commands that look into it."""
        return run(
            self.lab.corelane, *words, "--name", self.name, check=check
        )

    def stop(self, number=signal.SIGTERM, seconds=10):
        """Returns the exit code."""
        if self.running():
            self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(
                f"still there {seconds} s after signal {number}"
            ) from None

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Lab:
    """Where one device's tests take place: a namespace for the stack and one
    for the kernel as its peer, joined by a pair of veth; or, for tap, one for
    both."""

    _made = 0

    def __init__(self, corelane, device):
        Lab._made += 1
        self.corelane = corelane
        self.device = device
        self.tag = f"{os.getpid()}-{Lab._made}"
        self.stack_ns = f"cl-s-{self.tag}"
        self.kernel_ns = self.stack_ns
        if device != "tap":
            self.kernel_ns = f"cl-k-{self.tag}"
        self.interface = "cl0" if device == "tap" else "stk0"
        self.kernel_interface = "cl0" if device == "tap" else "krn0"
        # DPDK's af_packet has the kernel put fragments together (the fanout it
        # joins asks for that, and nothing switches it off) and receives what
        # comes of it in frames of 2 KiB; larger datagrams arrive truncated.
        self.largest = 1800 if device == "af_packet" else 65507
        self.servers = []
        self._count = 0
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._namespaces = []

    def open(self):
        for name in dict.fromkeys([self.stack_ns, self.kernel_ns]):
            run("ip", "netns", "add", name)
            self._namespaces.append(name)
            self._quiet(name)
        if self.device != "tap":
            self._make_veth()
        enter(f"/run/netns/{self.kernel_ns}")

    @staticmethod
    def _quiet(namespace):
        def inside(*command):
            run("ip", "netns", "exec", namespace, *command)

        # The kernel's own IPv6 chatter would blur the counters.
        inside("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        inside("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        inside("ip", "link", "set", "lo", "up")

    def _make_veth(self):
        run(
            "ip", "-n", self.kernel_ns, "link", "add", self.kernel_interface,
            "type", "veth", "peer", "name", self.interface,
            "netns", self.stack_ns,
        )
        for namespace, interface in (
            (self.kernel_ns, self.kernel_interface),
            (self.stack_ns, self.interface),
        ):
            # Between veth ends the kernel leaves checksums for "the hardware"
            # and packets larger than the MTU for later cutting; neither ever
            # happens, since the other end is not a kernel socket.
            run(
                "ip", "netns", "exec", namespace, "ethtool", "-K", interface,
                "tx", "off", "gso", "off", "tso", "off", "gro", "off",
            )
            run("ip", "-n", namespace, "link", "set", interface, "up")
        self._address_kernel()

    def _address_kernel(self):
        run(
            "ip", "-n", self.kernel_ns, "addr", "replace",
            f"{KERNEL}/{PREFIX}", "dev", self.kernel_interface,
        )

    def dev_flag(self):
        return f"{self.device},iface={self.interface}"

    def has_interface(self):
        done = run(
            "ip", "-n", self.stack_ns, "link", "show", self.interface,
            check=False,
        )
        return done.returncode == 0

    def launch(self, *words, name=None):
        """Starts corelane in the stack's namespace; does not wait."""
        self._count += 1
        name = name or f"interop-{self.tag}-{self._count}"
        # Closed with the server; read again by its name.
        log = tempfile.NamedTemporaryFile(prefix="corelane-interop-")
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.stack_ns, self.corelane, words[0],
             "--name", name, *words[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
        server = Server(self, name, process, log)
        self.servers.append(server)
        return server

    def start(self, *words, name=None, options=""):
        """Starts a service on this lab's device, with more `options` of the
        device's perhaps; it answers on return."""
        server = self.launch(
            words[0], "--dev", self.dev_flag() + options, "--addr",
            f"{STACK}/{PREFIX}", *words[1:], name=name,
        )

        def ready():
            expect(
                server.running(),
                f"{words[0]} ended at once: {server.log()[-300:]!r}",
            )
            return "to look inside" in server.log()

        wait_until(ready, 20, f"start of {words[0]}")
        if self.device == "tap":
            self._address_kernel()
            run("ip", "-n", self.stack_ns, "link", "set", "cl0", "up")
        # A restarted stack may have another MAC address.
        run("ip", "-n", self.kernel_ns, "neigh", "flush", "all", check=False)
        return server

    def close(self):
        for server in self.servers:
            if server.running():
                server.process.kill()
                server.process.wait()
            # What a killed one could not take away.
            shutil.rmtree(f"/var/run/dpdk/{server.name}", ignore_errors=True)
        _libc.setns(self._home, CLONE_NEWNET)
        for name in self._namespaces:
            run("ip", "netns", "del", name, check=False)
        self._namespaces.clear()


class Report:
    """Runs checks, prints a line for each, and counts."""

    def __init__(self, pattern):
        self._pattern = re.compile(pattern)
        self.passed = 0
        self.failed = 0

    def wants(self, name):
        return self._pattern.search(name) is not None

    def check(self, name, function, *arguments, seconds=60):
        """`function` may return a text with figures."""
        if not self.wants(name):
            return
        begin = time.monotonic()
        signal.alarm(seconds)
        try:
            figures = function(*arguments)
        except (Failure, OSError, subprocess.SubprocessError, ValueError,
                AssertionError, LookupError) as error:
            self.failed += 1
            print(f"FAIL {name}: {type(error).__name__}: {error}", flush=True)
            self._show_logs(arguments)
            return
        finally:
            signal.alarm(0)
        self.passed += 1
        took = f" ({time.monotonic() - begin:.1f} s)"
        print(f"PASS {name}{': ' + figures if figures else ''}{took}",
              flush=True)

    @staticmethod
    def _show_logs(arguments):
        for argument in arguments:
            if isinstance(argument, Server):
                code = argument.process.poll()
                state = "running" if code is None else f"ended with {code}"
                print(f"     {argument.name}: {state}")
                for line in argument.log().splitlines()[-5:]:
                    print(f"     | {line}")


def on_alarm(_signal, _frame):
    raise Failure("took too long")
