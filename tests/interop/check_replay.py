"""corelane blast replay: captures that are made here, sent again.

What arrives is compared with the file, frame by frame where that is possible.
"""

import json
import os
import signal
import struct
import subprocess
import tempfile

import check_input
from check_blast import _blast
from lab import expect, expect_equal, run, wait_until

ETHERNET = 1
RAW_IP = 101
OURS = "02:aa:00:00:00:01"  # the source of the frames


def frame(number, size=60):
    """A UDP datagram with a number."""
    ethernet = (bytes.fromhex("02aa00000002") +
                bytes.fromhex(OURS.replace(":", "")) + b"\x08\x00")
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size - 14, number % 65536, 0,
                     64, 17, 0, bytes((198, 18, 0, 1)), bytes((198, 18, 0, 2)))
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xffff) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", 0xffff ^ total) + ip[12:]
    udp = struct.pack("!HHHHI", 1000, 9, size - 34, 0, number)
    return (ethernet + ip + udp).ljust(size, b"x")


def write(path, frames, magic=0xa1b2c3d4, link=ETHERNET, missing=0, length=0):
    """A capture of (seconds, bytes) with `missing` bytes at its end."""
    unit = 1_000_000 if magic == 0xa1b2c3d4 else 1_000_000_000
    data = struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    for at, content in frames:
        data += struct.pack("<IIII", int(at), round(at % 1 * unit),
                            len(content), length or len(content)) + content
    with open(path, "wb") as file:
        file.write(data[:len(data) - missing])


def read(path):
    """The frames of a capture by tcpdump or DPDK, with their times."""
    with open(path, "rb") as file:
        data = file.read()
    magic = struct.unpack("<I", data[:4])[0]
    unit = 1_000_000 if magic == 0xa1b2c3d4 else 1_000_000_000
    frames, at = [], 24
    while at < len(data):
        second, part, captured, _ = struct.unpack("<IIII", data[at:at + 16])
        at += 16
        frames.append((second + part / unit, data[at:at + captured]))
        at += captured
    return frames


def in_process(lab):
    """Through a ring, and into a file of DPDK's."""
    with tempfile.TemporaryDirectory(prefix="corelane-replay-") as home:
        return _in_process(lab, home)


def _in_process(lab, home):
    frames = [(1000 + i * 0.001, frame(i, 60 + i % 3 * 727))
              for i in range(500)]
    path = f"{home}/a.pcap"
    write(path, frames)
    loop = _blast(lab, "replay", path, "--dev", "ring", "--slo", "errors=0")
    expect_equal((loop["sent"], loop["received"], loop["bytes_in"]),
                 (500, 500, sum(len(f) for _, f in frames)), "through a ring")
    # Not before its time; a busy machine may be late.
    expect(loop["seconds"] > 0.49, f"at its pace: {loop['seconds']} s")
    fast = _blast(lab, "replay", path, "--dev", "ring", "--speed", "10",
                  "--loop", "4")
    expect_equal((fast["sent"], fast["received"]), (2000, 2000), "4 times")
    expect(fast["seconds"] > 0.19, f"ten times: {fast['seconds']} s")
    rate = _blast(lab, "replay", path, "--dev", "ring", "--rate", "2k",
                  "--duration", "500ms")
    expect_equal((rate["sent"], rate["received"]), (1000, 1000), "at a rate")
    empty = f"{home}/none.pcap"
    write(empty, [])
    out = f"{home}/out.pcap"
    _blast(lab, "replay", path, "--rate", "max", "--dev",
           f"pcap,rx={empty},tx={out}")
    expect_equal([f for _, f in read(out)], [f for _, f in frames],
                 "frames in DPDK's file")
    moved = _blast(lab, "replay", path, "--rate", "max", "--dst-mac",
                   "02:bb:00:00:00:09", "--dev",
                   f"pcap,rx={empty},tx={out},mac=02:bb:00:00:00:01")
    expect_equal({f[:12].hex() for _, f in read(out)},
                 {"02bb0000000902bb00000001"}, "other addresses")
    expect_equal(moved["sent"], 500, "with other addresses")
    return f"late p99 {loop['late_ns']['p99'] / 1000:.0f} us"


def on_the_wire(lab):
    """Nanoseconds over a veth pair, caught by tcpdump."""
    gaps = [0.001, 0.001, 0.010, 0.100]
    times = [1000 + sum(gaps[j % 4] for j in range(i)) for i in range(40)]
    frames = [(at, frame(i, 60 + i)) for i, at in enumerate(times)]
    with tempfile.TemporaryDirectory(prefix="corelane-replay-") as home:
        path, out = f"{home}/a.pcap", f"{home}/out.pcap"
        write(path, frames, magic=0xa1b23c4d)
        with subprocess.Popen(
                ("tcpdump", "-i", lab.kernel_interface, "-w", out, "-U",
                 "--immediate-mode", "-Z", "root", "-Q", "in"),
                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as tcpdump:
            try:
                os.read(tcpdump.stderr.fileno(), 200)  # it listens
                result = _blast(lab, "replay", path, "--dev", lab.dev_flag())
                wait_until(lambda: os.path.exists(out) and
                           len(read(out)) >= len(frames), 5, "all frames")
            finally:
                tcpdump.send_signal(signal.SIGINT)
        seen = read(out)
    expect_equal(result["sent"], 40, "sent")
    # Without an --addr not one frame of its own.
    expect_equal([f for _, f in seen], [f for _, f in frames], "on the wire")
    took = seen[-1][0] - seen[0][0]
    wanted = times[-1] - times[0]
    # The first may have been late, and a busy machine the last.
    expect(took > wanted - 0.02, f"{took} s for {wanted} s")
    return f"{took * 1000:.0f} ms for {wanted * 1000:.0f} ms"


def partial(lab):
    """Ctrl-C, a file that is cut off, and a device that takes nothing."""
    with tempfile.TemporaryDirectory(prefix="corelane-replay-") as home:
        return _partial(lab, home)


def _partial(lab, home):
    frames = [(1000 + i * 0.01, frame(i)) for i in range(2000)]
    path, results = f"{home}/a.pcap", f"{home}/results.json"
    write(path, frames)
    replay = lab.launch("blast", "replay", path, "--dev", "ring", "--json",
                        results)
    wait_until(lambda: "1 s " in replay.log(), 20, "a second of it")
    expect_equal(replay.stop(signal.SIGINT), 3, "exit code after Ctrl-C")
    with open(results, encoding="utf-8") as file:
        half = json.load(file)
    expect(half["partial"] and 0 < half["sent"] < 2000, f"half-way: {half}")
    expect_equal(half["received"], half["sent"], "received half-way")

    write(path, frames[:100], missing=10)
    cut = _blast(lab, "replay", path, "--rate", "max", "--dev", "ring", code=3)
    expect_equal((cut["partial"], cut["sent"]), (True, 99), "cut off")
    expect("frame 100" in cut["partial_why"], cut["partial_why"])

    nobody = _blast(lab, "replay", path, "--timeout", "300ms", "--dev",
                    f"memif,socket={home}/m.sock,role=server", code=3)
    expect_equal((nobody["partial"], nobody["sent"]), (True, 0), "nobody")
    return f"{half['sent']} before Ctrl-C"


def bad_files(lab):
    """What is no capture, or none that can be sent."""
    some = [(1000 + i, frame(i)) for i in range(3)]
    long = some + [(1003, frame(3, 2962))]
    with tempfile.TemporaryDirectory(prefix="corelane-replay-") as home:
        path = f"{home}/a.pcap"
        cases = (
            ("no frames", [], {}),
            ("RAW", some, {"link": RAW_IP}),
            ("first frame", some[:1], {"missing": 1}),
            ("in its head", [], {"missing": 4}),
            ("not captured in full", some, {"length": 1514}),
            ("MTU of 1500", long, {}),
        )
        for word, frames, options in cases:
            write(path, frames, **options)
            check_input.command_line(
                lab, ("blast", "replay", path, "--dev", "null"), word)
        skipped = _blast(lab, "replay", path, "--skip-unfit", "--rate", "max",
                         "--dev", "ring")
        expect_equal((skipped["sent"], skipped["file"]["left_out"]["too_long"]),
                     (3, 1), "with --skip-unfit")
