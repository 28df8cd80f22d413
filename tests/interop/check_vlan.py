"""VLANs on a device: each is a link of its own. The kernel is the peer where it
has VLANs itself; tagged frames made by hand say the same everywhere."""

import json
import socket
import struct
import time

from check_network import _arp, _mac_of
from lab import KERNEL, PREFIX, STACK, expect, expect_equal, run, wait_until

ON_VLAN = "10.77.3.2"
KERNEL_ON_VLAN = "10.77.3.1"
SOL_PACKET, PACKET_AUXDATA = 263, 8
TP_STATUS_VLAN_VALID = 1 << 4


def launch(lab):
    server = lab.launch(
        "http", "--dev", lab.dev_flag(), "--addr", f"{STACK}/{PREFIX}", "--addr",
        f"{ON_VLAN}/24@vlan3", "--addr", "10.77.4.2/24@0.vlan4")
    wait_until(lambda: "to look inside" in server.log()
               or not server.running(), 20, "start")
    expect(server.running(), f"ended: {server.log()[-300:]!r}")
    device = lab.kernel_interface
    if lab.device == "tap":
        run("ip", "addr", "replace", f"{KERNEL}/{PREFIX}", "dev", device)
        run("ip", "link", "set", device, "up")
    return server


def _kernel_vlan(device):
    made = run("ip", "link", "add", "link", device, "name", "krn.3", "type",
               "vlan", "id", "3", check=False)
    if "Unknown device type" in made.stderr:
        return False
    run("ip", "addr", "add", f"{KERNEL_ON_VLAN}/24", "dev", "krn.3")
    run("ip", "link", "set", "krn.3", "up")
    return True


def traffic(server):
    both = (STACK, ON_VLAN)
    if not _kernel_vlan(server.lab.kernel_interface):
        both = (STACK,)
    for address in both:
        run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "2", address)
        largest = min(server.lab.largest - 28, 1472)
        run("ping", "-n", "-c", "2", "-i", "0.05", "-W", "2", "-M", "do", "-s",
            str(largest), address)
        for _ in range(5):
            code = run("curl", "-s", "-o", "/dev/null", "--max-time", "5", "-w",
                       "%{http_code}", f"http://{address}/").stdout
            expect_equal(code, "200", f"GET of {address}")
    return "" if len(both) == 2 else "untagged only: this kernel has no VLANs"


def _sum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def _tagged(frame, *vlans):
    tags = b"".join(struct.pack("!HH", 0x8100, v) for v in vlans)
    return frame[:12] + tags + frame[12:]


def _ask(mac, target):
    return _arp(1, mac, KERNEL_ON_VLAN, bytes(6), target)[:42]


def _echo(mac, to, target, size):
    icmp = struct.pack("!BBHHH", 8, 0, 0, 77, 1) + bytes(size)
    icmp = icmp[:2] + struct.pack("!H", _sum(icmp)) + icmp[4:]
    ip = (struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), 1, 0, 64, 1, 0)
          + socket.inet_aton(KERNEL_ON_VLAN) + socket.inet_aton(target))
    ip = ip[:10] + struct.pack("!H", _sum(ip)) + ip[12:]
    return to + mac + b"\x08\x00" + ip + icmp


def _exchange(interface, frames, seconds=1.0):
    """Sends frames; returns the answers, each with its VLAN or None."""
    answers = []
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                       socket.htons(3)) as s:
        s.bind((interface, 0))
        s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        s.settimeout(0.1)
        for frame in frames:
            s.send(frame)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                data, extra, _, where = s.recvmsg(2048, 256)
            except socket.timeout:
                continue
            if where[2] == socket.PACKET_OUTGOING:
                continue
            vlan = None
            for _, _, aux in extra:
                status, *_, tci, _ = struct.unpack("IIIHHHH", aux[:20])
                if status & TP_STATUS_VLAN_VALID:
                    vlan = tci & 0xfff
            if data[12:14] == b"\x81\x00":  # nobody took it off
                vlan = struct.unpack("!H", data[14:16])[0] & 0xfff
                data = data[:12] + data[16:]
            answers.append((vlan, data))
    return answers


def _replies(answers, kind):
    """ARP replies or echo replies among them, with their VLANs."""
    if kind == "arp":
        return [(v, d) for v, d in answers
                if d[12:14] == b"\x08\x06" and d[20:22] == b"\x00\x02"]
    return [(v, d) for v, d in answers
            if d[12:14] == b"\x08\x00" and d[23] == 1 and d[34] == 0]


def frames(server):
    """ARP and echo with a tag; without; with others; with two."""
    device = server.lab.kernel_interface
    mac = _mac_of(device)
    got = _replies(_exchange(device, [_tagged(_ask(mac, ON_VLAN), 3)], 0.5),
                   "arp")
    expect(got, "no ARP reply on VLAN 3")
    expect_equal(got[0][0], 3, "VLAN of the ARP reply")
    stack = got[0][1][6:12]
    echo = _echo(mac, stack, ON_VLAN, 1400)
    got = _replies(_exchange(device, [_tagged(echo, 0x6003)] * 3, 0.5), "icmp")
    expect_equal([v for v, _ in got], [3, 3, 3], "VLANs of echo replies")
    wrong = [echo, _tagged(echo, 4), _tagged(echo, 7), _tagged(echo, 3, 3),
             _tagged(_ask(mac, ON_VLAN), 4), _ask(mac, ON_VLAN)]
    got = _exchange(device, wrong, 0.5)
    expect(not _replies(got, "icmp") and not _replies(got, "arp"),
           f"an answer to the wrong link: {got}")
    stats = json.loads(server.ask("stats", "--json").stdout)
    drops = stats["drops"]
    expect(drops["eth_vlan"] >= 2 and drops["ipv4_other_port"] >= 2, f"{drops}")
    expect_equal(stats["counters"]["delivered"] + sum(drops.values()),
                 stats["counters"]["rx_packets"], "delivered + drops")


def shown(server):
    ports = json.loads(server.ask("ports", "--json").stdout)
    expect_equal(ports[0]["vlans"], "3 4", "VLANs in ports")
    expect("VLANs 3 4" in server.ask("ports").stdout, "ports")
    for command in ("addr", "route", "arp"):
        text = server.ask(command).stdout
        expect(".vlan3" in text, f"{command}: {text!r}")
    server.ask("addr", "add", "10.77.3.9/24@vlan3")
    expect("10.77.3.9/24" in server.ask("addr").stdout, "addr add")
    server.ask("addr", "del", "10.77.3.9")
    done = server.ask("addr", "add", "10.77.9.2/24@vlan9", check=False)
    expect_equal(done.returncode, 2, "exit code of a VLAN not there at start")
