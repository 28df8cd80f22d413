"""End-to-end tests of the corelane program against the Linux kernel.

Started by scripts/interop; needs root. Prints PASS or FAIL for each check and
a closing line with the sums; ends with 0 if all passed, else 1.
"""

import argparse
import os
import resource
import shutil
import signal
import sys
import tempfile

import check_blast
import check_control
import check_cores
import check_http
import check_input
import check_load
import check_nginx
import check_network
import check_replay
import check_stateless
import check_tcp
import check_vlan
import goodput
from lab import Lab, Report, on_alarm

DEVICES = ("tap", "af_packet", "af_xdp")


def with_lab(report, arguments, device, function, make=Lab):
    lab = make(arguments.corelane, device)
    try:
        lab.open()
        function(report, lab)
    except Exception as error:  # the other devices are still to be tried
        report.failed += 1
        print(f"FAIL {device} {function.__name__}: {error!r}", flush=True)
    finally:
        lab.close()


def echo_checks(report, lab):
    d = lab.device
    server = lab.start("echo")
    report.check(f"{d} arp answers", check_network.arp_answers, server)
    report.check(f"{d} ping sizes", check_network.ping_sizes, server)
    report.check(f"{d} tcp closed port", check_network.tcp_closed_port, server)
    report.check(f"{d} udp closed port", check_network.udp_closed_port, server)
    report.check(f"{d} udp echo", check_network.udp_echo, server)
    report.check(f"{d} udp nc, socat", check_network.udp_tools, server)
    report.check(f"{d} tcp nc, socat", check_tcp.nc_and_socat, server)
    report.check(f"{d} half close", check_tcp.half_close, server)
    report.check(f"{d} slow reader", check_tcp.slow_reader, server)
    report.check(f"{d} resets", check_tcp.resets, server)
    report.check(f"{d} 100 MB echo", check_tcp.bulk_echo, server)
    report.check(f"{d} 1000 connections", check_tcp.thousand, server)
    report.check(f"{d} address conflict", check_network.arp_conflict, server)
    report.check(f"{d} still accounted for", check_control.accounted, server)
    server.stop()


def http_checks(root, digest):
    def http(report, lab):
        d = lab.device
        server = lab.start("http", "--root", root, "--metrics-port", "9100")
        report.check(f"{d} curl GET, HEAD", check_http.get_and_head, server)
        report.check(f"{d} keep-alive", check_http.keep_alive, server)
        report.check(f"{d} pipelining", check_http.pipelined, server)
        report.check(f"{d} 4xx, 5xx", check_http.statuses, server)
        report.check(f"{d} 304", check_http.not_modified, server)
        report.check(f"{d} bodies", check_http.request_bodies, server)
        report.check(f"{d} 100 MB download", check_http.bulk, server, digest)
        report.check(f"{d} wrk", check_http.wrk, server)
        report.check(f"{d} netstat and others", check_control.looks, server)
        report.check(f"{d} telemetry", check_control.telemetry, server)
        report.check(f"{d} accounted for", check_control.accounted, server)
        report.check(f"{d} addr, route, arp", check_control.changes, server)
        report.check(f"{d} top", check_control.top, server)
        report.check(f"{d} capture", check_control.capture, server)
        report.check(f"{d} metrics", check_control.metrics, server)
        report.check(f"{d} idle", check_control.idle, server)
        report.check(f"{d} idle ping", check_network.ping_latency, server)
        report.check(f"{d} SIGTERM", check_control.stop_in_order, server)
        server.stop()

    return http


def tso_checks(root, digest):
    def tso(report, lab):
        name = "tap TSO: 100 MB download"
        if not report.wants(name):
            return
        server = lab.start("http", "--root", root, options=",tso=yes")
        report.check(name, check_http.cut_by_the_device, server, digest)
        server.stop()

    return tso


def start_checks(report, lab):
    d = lab.device
    report.check(f"{d} active open", check_tcp.active_open, lab)
    report.check(f"{d} start again", check_control.start_again, lab)
    if d == "tap":
        report.check("name in use", check_control.name_in_use, lab)
        report.check("blast: the kernel", check_blast.kernel_echo, lab)
        report.check("blast: nginx", check_nginx.http, lab)
        report.check("blast: our servers", check_blast.own_servers, lab)
        report.check("blast: jumbo over virtio", check_blast.jumbo, lab)
        report.check("virtio: bytes from anywhere", check_blast.unmapped, lab)
        report.check("blast: packets", check_blast.packets, lab)
        report.check("blast: streams", check_load.streams, lab)
        report.check("blast: kernel streams", check_load.kernel_streams, lab)
        report.check("blast: held", check_load.held, lab)
        report.check("blast: rising rates", check_load.rising, lab)
        report.check("blast: kernel held", check_load.kernel_held, lab)
        report.check("blast: stateless", check_stateless.own_servers, lab)
        report.check("blast: stateless, kernel", check_stateless.kernel, lab)
        report.check("blast: DNS", check_load.names, lab)
        report.check("blast: DNS list", check_load.bad_queries, lab)
        report.check("blast: replay", check_replay.in_process, lab)
        report.check("blast: replay, partial", check_replay.partial, lab)
        report.check("blast: replay, bad files", check_replay.bad_files, lab)
    if d == "af_packet":
        report.check("blast: replay on a wire", check_replay.on_the_wire, lab)
        report.check("address in use", check_control.address_in_use, lab)


def vlan_checks(report, lab):
    d = lab.device
    if not report.wants(f"{d} vlan"):
        return
    server = check_vlan.launch(lab)
    report.check(f"{d} vlan traffic", check_vlan.traffic, server)
    report.check(f"{d} vlan frames", check_vlan.frames, server)
    report.check(f"{d} vlan shown", check_vlan.shown, server)
    server.stop()


def lossy_checks(report, lab):
    for congestion in goodput.KERNEL_NAMES:
        report.check(f"{lab.device} lossy link, {congestion}", goodput.lossy,
                     lab, congestion, seconds=120)


def cores_checks(report, lab):
    d = lab.device
    one = ",queues=1" if d == "tap" else ",qpairs=1"
    for queues, options in ((2, ""), (1, one)):
        name = f"{d} 2 cores, {queues} queue{'s' if queues > 1 else ''}"
        if not report.wants(name):
            continue
        server = lab.start("echo", "--cores", "0,1", options=options)
        report.check(name, check_cores.traffic, server, queues)
        report.check(f"{name}, 1000 connections", check_tcp.thousand, server)
        report.check(f"{name}, bulk", check_tcp.bulk_echo, server)
        report.check(f"{name}, stop", check_cores.stops, server)
        server.stop()
    name = f"{d} 2 cores, --rebalance"
    if d == "tap" and report.wants(name):
        server = lab.start("echo", "--cores", "0,1", "--rebalance",
                           options=one)
        report.check(name, check_cores.rebalanced, server)
        report.check(f"{name}, stop", check_cores.stops, server)
        server.stop()
    if d == "tap":
        report.check("memif 2 cores", check_cores.memif, lab)
        report.check("ring 2 cores", check_cores.ring, lab)


def input_checks(report, lab):
    os.makedirs("/var/run/dpdk", exist_ok=True)
    before = set(os.listdir("/var/run/dpdk"))
    for words, expected in check_input.TABLE:
        name = " ".join(words) or "(nothing)"
        report.check(f"input: {name}", check_input.command_line, lab, words,
                     expected)
    report.check("input: no permission", check_input.no_permission, lab)
    report.check("input: no /dev/net/tun", check_input.no_tun, lab)
    report.check("input: no huge pages", check_input.no_huge_pages, lab)
    report.check("input: nothing left", check_input.nothing_left, lab, before)


def parse(words):
    parser = argparse.ArgumentParser(
        prog="scripts/interop", description=__doc__.splitlines()[0])
    parser.add_argument("corelane", help="the program to test")
    parser.add_argument("-k", metavar="REGEX", default="",
                        help="only checks whose name matches")
    parser.add_argument("-d", "--device", action="append", choices=DEVICES,
                        help="only this device (repeatable)")
    return parser.parse_args(words)


def main():
    arguments = parse(sys.argv[1:])
    arguments.corelane = os.path.abspath(arguments.corelane)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    signal.signal(signal.SIGALRM, on_alarm)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    report = Report(arguments.k)
    root = tempfile.mkdtemp(prefix="corelane-interop-")
    try:
        digest = check_http.make_root(f"{root}/site")
        for device in arguments.device or DEVICES:
            with_lab(report, arguments, device, echo_checks)
            with_lab(report, arguments, device,
                     http_checks(f"{root}/site", digest))
            if device == "tap":
                with_lab(report, arguments, device,
                         tso_checks(f"{root}/site", digest))
            with_lab(report, arguments, device, start_checks)
            with_lab(report, arguments, device, vlan_checks)
            if device != "af_xdp" and os.cpu_count() > 1:
                with_lab(report, arguments, device, cores_checks)
        if "af_packet" in (arguments.device or DEVICES):
            with_lab(report, arguments, "af_packet", lossy_checks,
                     goodput.LossyLab)
        with_lab(report, arguments, "tap", input_checks)
    finally:
        shutil.rmtree(root)
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    sys.exit(main())
