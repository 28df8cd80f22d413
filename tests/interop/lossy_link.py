"""A link with a rate, a delay and losses, between two interfaces.

    python3 lossy_link.py A B --rate BITS --delay-ms MS --loss SHARE --seed N

Takes every frame of one interface to the other, in both directions: through a
queue that is emptied at the rate, then the delay. Of the frames that carry TCP
payload so many are lost; which, is decided by their number and the seed only,
so that two senders meet the same losses. Ends at SIGTERM, or after --seconds.
"""

import argparse
import heapq
import itertools
import os
import random
import select
import signal
import socket
import time

ALL = 0x0003  # ETH_P_ALL
OUTGOING = 4  # PACKET_OUTGOING
NANOSECONDS = 1_000_000_000


def tcp_payload(frame):
    """How many bytes of TCP payload a frame carries."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return 0
    header = (frame[14] & 15) * 4
    total = int.from_bytes(frame[16:18], "big")
    offset = (frame[14 + header + 12] >> 4) * 4
    return total - header - offset


class Direction:
    """From one interface to the other."""

    def __init__(self, source, target, options, seed):
        self.source = source
        self.target = target
        self.options = options
        self.dice = random.Random(seed)
        self.free_at = 0
        self.lost = self.overflowed = self.carried = 0

    def leaves_at(self, frame, now):
        """When it arrives at the other end; None: never."""
        if tcp_payload(frame) > 0 and self.dice.random() < self.options.loss:
            self.lost += 1
            return None
        took = len(frame) * 8 * NANOSECONDS // self.options.rate
        begin = max(now, self.free_at)
        if begin - now > self.options.queue_ms * 1_000_000:
            self.overflowed += 1
            return None
        self.free_at = begin + took
        self.carried += 1
        return self.free_at + self.options.delay_ms * 1_000_000


def opened(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((name, 0))
    s.setblocking(False)
    return s


def run(directions, end):
    number = itertools.count()
    waiting = []
    by_source = {d.source: d for d in directions}
    while (now := time.monotonic_ns()) < end:
        while waiting and waiting[0][0] <= now:
            _, _, target, frame = heapq.heappop(waiting)
            try:
                target.send(frame)
            except OSError:
                pass  # the interface is down: so is the link
        until = min(waiting[0][0] if waiting else end, end) - now
        ready, _, _ = select.select(list(by_source), [], [],
                                    max(until, 0) / NANOSECONDS)
        now = time.monotonic_ns()
        for source in ready:
            d = by_source[source]
            for _ in range(64):
                try:
                    frame, address = source.recvfrom(65536)
                except OSError:
                    break
                if address[2] == OUTGOING:
                    continue
                if (at := d.leaves_at(frame, now)) is not None:
                    heapq.heappush(waiting, (at, next(number), d.target, frame))


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("interfaces", nargs=2)
    parser.add_argument("--rate", type=int, default=20_000_000)
    parser.add_argument("--delay-ms", type=int, default=10)
    parser.add_argument("--queue-ms", type=int, default=40)
    parser.add_argument("--loss", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=600)
    return parser.parse_args()


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: exit(0))
    try:  # so that the delays are its own and not the scheduler's
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        pass
    a, b = (opened(name) for name in options.interfaces)
    directions = [Direction(a, b, options, options.seed),
                  Direction(b, a, options, options.seed + 1)]
    print("ready", flush=True)
    try:
        run(directions,
            time.monotonic_ns() + options.seconds * NANOSECONDS)
    finally:
        for d in directions:
            print(f"carried {d.carried}, lost {d.lost}, overflowed "
                  f"{d.overflowed}", flush=True)


if __name__ == "__main__":
    main()
