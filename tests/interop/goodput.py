"""Goodput over a lossy link: this stack's against the Linux kernel's.

At one end of the link (lossy_link.py) is the kernel, at the other the kernel or
the stack, as sender (`take`) or receiver (`give`) with the same congestion
control.
"""

import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

from lab import KERNEL, PREFIX, STACK, Lab, enter, expect, run

HERE = os.path.dirname(os.path.abspath(__file__))
PORTS = {"chargen": 19, "discard": 9}
KERNEL_NAMES = {"newreno": "reno", "cubic": "cubic", "bbr": "bbr"}


def kernel_has(congestion):
    with open("/proc/sys/net/ipv4/tcp_available_congestion_control") as known:
        return KERNEL_NAMES[congestion] in known.read().split()


class LossyLab(Lab):
    """Between the two namespaces a third one, with the link in it."""

    def __init__(self, corelane, device="af_packet"):
        super().__init__(corelane, device)
        self.link_ns = f"cl-l-{self.tag}"
        self._link = None

    def _make_veth(self):
        run("ip", "netns", "add", self.link_ns)
        self._namespaces.append(self.link_ns)
        self._quiet(self.link_ns)
        for namespace, name, end in (
            (self.stack_ns, self.interface, "left"),
            (self.kernel_ns, self.kernel_interface, "right"),
        ):
            run("ip", "-n", namespace, "link", "add", name, "type", "veth",
                "peer", "name", end, "netns", self.link_ns)
            for where, what in ((namespace, name), (self.link_ns, end)):
                run("ip", "netns", "exec", where, "ethtool", "-K", what,
                    "tx", "off", "gso", "off", "tso", "off", "gro", "off")
                run("ip", "-n", where, "link", "set", what, "up")
            # What one connection has learnt of the path is not for the next.
            run("ip", "netns", "exec", namespace, "sysctl", "-qw",
                "net.ipv4.tcp_no_metrics_save=1")
        self._address_kernel()

    def start_link(self, seed):
        self.stop_link()
        self._link = subprocess.Popen(
            ["ip", "netns", "exec", self.link_ns, sys.executable,
             f"{HERE}/lossy_link.py", "left", "right", "--seed", str(seed)],
            stdout=subprocess.PIPE, text=True)
        expect(self._link.stdout.readline() == "ready\n", "no link")

    def stop_link(self):
        if self._link is None:
            return
        self._link.send_signal(signal.SIGTERM)
        self._link.communicate(timeout=10)
        self._link = None

    def close(self):
        self.stop_link()
        super().close()


class KernelService:
    """chargen or discard by the kernel, where the stack would be."""

    def __init__(self, lab, name, congestion):
        run("ip", "-n", lab.stack_ns, "addr", "add", f"{STACK}/{PREFIX}",
            "dev", lab.interface)
        self._lab = lab
        self._name = name
        self._socket = None
        self._over = threading.Event()
        made = threading.Event()
        self._thread = threading.Thread(
            target=self._serve, args=(congestion, made), daemon=True)
        self._thread.start()
        expect(made.wait(10) and self._socket is not None, "no kernel service")

    def _serve(self, congestion, made):
        try:
            enter(f"/run/netns/{self._lab.stack_ns}")  # this thread only
            self._socket = socket.create_server((STACK, PORTS[self._name]))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION,
                                    KERNEL_NAMES[congestion].encode())
        finally:
            made.set()
        while not self._over.is_set():
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer:
                try:
                    self._talk(peer)
                except OSError:
                    pass  # the reader has what it wanted

    def _talk(self, peer):
        if self._name == "discard":
            while peer.recv(1 << 18):
                pass
            return
        block = bytes(1 << 16)
        while not self._over.is_set():
            peer.sendall(block)

    def stop(self):
        self._over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)
        run("ip", "-n", self._lab.stack_ns, "addr", "flush", "dev",
            self._lab.interface)


def take(total, _congestion):
    """Mbit/s at which so many bytes came, the connect included."""
    begin = time.monotonic()
    with socket.create_connection((STACK, PORTS["chargen"]), timeout=20) as s:
        left = total
        while left > 0:
            data = s.recv(min(left, 1 << 18))
            expect(data, f"ended {left} bytes early")
            left -= len(data)
    return total * 8 / (time.monotonic() - begin) / 1e6


def give(total, congestion):
    """Mbit/s at which so many bytes were taken, up to the last's FIN."""
    begin = time.monotonic()
    with socket.socket() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION,
                     KERNEL_NAMES[congestion].encode())
        s.settimeout(60)
        s.connect((STACK, PORTS["discard"]))
        s.sendall(bytes(total))
        s.shutdown(socket.SHUT_WR)
        expect(s.recv(1) == b"", "discard answers")
    return total * 8 / (time.monotonic() - begin) / 1e6


def one_run(lab, direction, other, congestion, seed, total):
    lab.start_link(seed)
    run("ip", "-n", lab.kernel_ns, "neigh", "flush", "all", check=False)
    name = "chargen" if direction is take else "discard"
    if other == "kernel":
        service = KernelService(lab, name, congestion)
    else:
        # As on a NIC: it polls. Being woken for each packet adds to the link's
        # round trip.
        service = lab.start(name, "--congestion", congestion,
                            "--max-connections", "100", "--idle", "spin")
    try:
        run("ping", "-c", "1", "-W", "5", STACK)  # for ARP
        return direction(total, congestion)
    finally:
        service.stop()


def compare(lab, direction, congestion, runs, total, tell=None):
    """Medians of the kernel's and the stack's goodput, in Mbit/s."""
    rates = {"kernel": [], "corelane": []}
    for seed in range(1, runs + 1):
        for other, list_of in rates.items():
            list_of.append(
                one_run(lab, direction, other, congestion, seed, total))
    if tell:
        role = "sends" if direction is take else "receives"
        for other, list_of in rates.items():
            tell(f"{congestion:8} {other:9}{role:9} median "
                 f"{statistics.median(list_of):6.2f} Mbit/s of "
                 + " ".join(f"{rate:.2f}" for rate in list_of))
    return tuple(statistics.median(list_of) for list_of in rates.values())


def lossy(lab, congestion):
    """The short version: a few runs, and room for chance."""
    kernel, ours = compare(lab, take, congestion, 3, 2_000_000)
    expect(ours >= 0.75 * kernel,
           f"{ours:.2f} Mbit/s, the kernel has {kernel:.2f}")
    return f"{ours:.1f} Mbit/s, the kernel {kernel:.1f}"


def main():
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    total = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000_000
    lab = LossyLab(os.path.abspath(sys.argv[1]))
    worse = 0
    try:
        lab.open()
        for direction in (take, give):
            for congestion in filter(kernel_has, KERNEL_NAMES):
                kernel, ours = compare(lab, direction, congestion, runs, total,
                                       lambda text: print(text, flush=True))
                print(f"{congestion:8} ours/kernel {ours / kernel:.2f}",
                      flush=True)
                # The kernel's BBR is version 1, which losses do not slow down:
                # no yardstick for one that they do.
                if congestion == "bbr" and direction is take:
                    continue
                # A receiver has less to say: chance decides.
                worse += ours < (1 if direction is take else 0.9) * kernel
    finally:
        lab.close()
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
