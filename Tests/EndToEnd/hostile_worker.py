#!/usr/bin/env python3
"""Poses as sidelight-worker and misuses the ring. ENTRY's name, without folder and extension, says how; what follows are arguments.

It knows the ring only by docs/specs/record-format.md.
"""

import mmap
import os
import random
import struct
import sys
import time

HEADER = 4096
HEAD, TAIL, WAKE_AT, DROPPED, DEATH = 64, 128, 132, 192, 512
SPAN, STRING, SPAN_START, LOG, ERROR, METRIC, SCOPE, INSTRUMENT = 1, 2, 3, 4, 5, 6, 7, 8
TRACE_ID = bytes(range(1, 17))


class Ring:
    def __init__(self):
        self.size = os.fstat(3).st_size
        self.map = mmap.mmap(3, self.size)
        # Stores of whole words: struct's "<I" goes byte by byte, and the agent would see half a number.
        self.words = memoryview(self.map).cast("I")
        magic, version, self.capacity = struct.unpack_from("<III", self.map, 0)
        assert (magic, version, self.capacity) == (0x474E5253, 1, self.size - HEADER)
        self.head = 0

    def put(self, data):
        at = self.head & (self.capacity - 1)
        for start, part in ((at, data[: self.capacity - at]), (0, data[self.capacity - at :])):
            self.map[HEADER + start : HEADER + start + len(part)] = part
        self.head = self.head + len(data) & 0xFFFFFFFF

    def publish(self, head=None):
        self.words[HEAD // 4] = self.head if head is None else head
        os.write(4, struct.pack("<Q", 1))

    def room(self):
        return self.capacity - (self.head - self.words[TAIL // 4] & 0xFFFFFFFF)

    def wait_until_read(self):
        while self.room() < self.capacity:
            time.sleep(0.001)

    def write(self, data):
        """As a well-behaved producer does it."""
        while self.room() < len(data):
            time.sleep(0.001)
        self.put(data)
        self.publish()


def padded(data):
    return data + bytes(-len(data) % 8)


def record(kind, body, flags=0, length=None):
    body = padded(body)
    return struct.pack("<IBBH", 8 + len(body) if length is None else length, kind, flags, 0) + body


def inline(text):
    return struct.pack("<II", len(text), 0) + padded(text)


def now(ring):
    (base,) = struct.unpack_from("<d", ring.map, 16)
    return time.monotonic_ns() - base


def span(ring, number, name=b"good", attributes=b"", attribute_count=0, kind=SPAN, **changes):
    fields = dict(start=now(ring) - 1000, end=now(ring), ref=0, otlp_kind=1, status=0, flags=1, bits=0, scope=0)
    fields.update(changes)
    body = struct.pack(
        "<dd16s8s8sIBBBB", fields["start"], 0 if kind == SPAN_START else fields["end"], TRACE_ID,
        struct.pack(">Q", number), bytes(8), fields["ref"], fields["otlp_kind"], fields["status"], fields["flags"],
        fields["bits"],
    )  # fmt: skip
    if kind == SPAN_START:
        body += struct.pack("<H6x", fields["scope"])
    else:
        body += struct.pack("<HHHHIHH", attribute_count, 0, 0, fields["scope"], 0, 0, 0)
    return record(kind, body + inline(name) + attributes)


def good(ring, first=1, count=10):
    for number in range(first, first + count):
        ring.write(span(ring, number))


def open_root(ring):
    ring.write(span(ring, 0xFFFF, name=b"open", kind=SPAN_START))


# -- what a broken frame can be. Everything before it is kept.


def length_zero(ring):
    good(ring)
    ring.put(bytes(64))
    ring.publish()


def length_not_a_multiple(ring):
    good(ring)
    ring.put(record(SPAN, bytes(80), length=83))
    ring.publish()


def length_huge(ring):
    good(ring)
    ring.put(record(SPAN, bytes(80), length=0xFFFFFFF8))
    ring.publish()


def length_beyond_head(ring):
    good(ring)
    ring.put(record(SPAN, bytes(80), length=160))
    ring.publish()


def head_beyond_capacity(ring):
    good(ring)
    ring.wait_until_read()
    ring.publish(ring.head + ring.capacity + 8 & 0xFFFFFFFF)


def head_backwards(ring):
    good(ring)
    ring.wait_until_read()
    ring.publish(ring.head - 64 & 0xFFFFFFFF)


def head_not_a_multiple(ring):
    good(ring)
    ring.wait_until_read()
    ring.publish(ring.head + 3)


def broken_then_hangs(ring):
    length_zero(ring)
    time.sleep(3600)


def broken_only_at_the_end(ring):
    """Nobody is woken: the agent finds it when it reads the rest after the worker's end."""
    good(ring)
    time.sleep(0.3)
    ring.put(bytes(64))
    ring.words[HEAD // 4] = ring.head


# -- what is only a bad record: counted, the next one is read


def bad_records(ring):
    good(ring, 1, 5)
    for data in [
        record(99, bytes(16)),
        record(0, b""),
        record(SPAN, bytes(8)),
        record(SPAN, bytes(200)),
        span(ring, 100, start=float("nan")),
        span(ring, 101, end=float("inf")),
        span(ring, 102, start=-1e300),
        span(ring, 103, otlp_kind=77),
        span(ring, 104, status=77),
        span(ring, 105, scope=999),
        span(ring, 106, ref=12345),
        span(ring, 107, attribute_count=65535),
        span(ring, 0),
        span(ring, 108, attributes=struct.pack("<II", 0, 0xFFFFFFF1) + inline(b"key") + b"x" * 8, attribute_count=1),
        span(ring, 109, attributes=struct.pack("<II", 0, 1 << 4 | 2) + inline(b"key"), attribute_count=1),
        record(STRING, struct.pack("<II", 0, 4) + b"zero"),
        record(STRING, struct.pack("<II", 20000, 4) + b"high"),
        record(STRING, struct.pack("<II", 7, 5000) + b"cut!"),
        record(LOG, bytes(40)),
        record(LOG, struct.pack("<d16s8sBBHHH", now(ring), bytes(16), bytes(8), 200, 0, 0, 0, 0) + inline(b"severity")),
        record(METRIC, struct.pack("<IHH", 4000, 0, 0) + bytes(56)),
        record(SCOPE, struct.pack("<II", 0, 0) + inline(b"") * 3),
        record(SCOPE, struct.pack("<II", 5000, 0) + inline(b"") * 3),
        record(INSTRUMENT, struct.pack("<IBBH", 1, 77, 0, 0) + inline(b"") * 3),
        record(SPAN_START, bytes(56)),
        deep(ring),
    ]:
        ring.write(data)
    good(ring, 6, 5)


def deep(ring):
    """An array in an array in an array, more than may be."""
    nested = struct.pack("<II", 8 | 0 << 4, 0)
    for _ in range(2000):
        nested = struct.pack("<II", 8 | 1 << 4, 0) + nested
    attribute = struct.pack("<II", 0, 8 | 1 << 4) + inline(b"deep") + nested
    return span(ring, 110, attributes=attribute, attribute_count=1)


def invalid_utf8(ring):
    ring.write(span(ring, 1, name=b"bad \xff\xfe name \xed\xa0\x80"))
    attribute = struct.pack("<II", 0, 3 << 4 | 1) + inline(b"k\xff") + padded(b"\xc0\xaf\x80")
    ring.write(span(ring, 2, attributes=attribute, attribute_count=1))


def random_bodies(ring):
    """Frames that are right, with anything inside; here and there a good span."""
    source = random.Random(int(sys.argv[-1]))
    for number in range(1, 3001):
        kind = source.choice([SPAN, STRING, SPAN_START, LOG, ERROR, METRIC, SCOPE, INSTRUMENT, source.randrange(256)])
        if source.random() < 0.5:
            data = bytearray(span(ring, number + 100000, name=source.randbytes(source.randrange(40))))
            for _ in range(source.randrange(1, 6)):
                data[source.randrange(8, len(data))] = source.randrange(256)
            ring.write(bytes(data))
        else:
            ring.write(record(kind, source.randbytes(source.randrange(0, 400))))
        if number % 100 == 0:
            ring.write(span(ring, number))


def random_bytes(ring):
    source = random.Random(int(sys.argv[-1]))
    good(ring)
    ring.put(source.randbytes(source.randrange(8, 60000) & ~7))
    ring.publish()
    time.sleep(0.05)


def changing_bytes(ring):
    """Rewrites what the agent is reading."""
    source = random.Random(int(sys.argv[-1]))
    end = time.monotonic() + 0.5
    good(ring)
    while time.monotonic() < end:
        if ring.room() > 100000:
            at = ring.head
            for number in range(200):
                ring.put(span(ring, 1000 + number))
            ring.publish()
            for _ in range(50):
                place = HEADER + (at + source.randrange(30000) & ring.capacity - 1)
                ring.map[place : place + 1] = bytes([source.randrange(256)])


def tail_overwritten(ring):
    for value in (0, 12345, 0xFFFFFFFF):
        ring.words[TAIL // 4] = value
        ring.put(span(ring, 1 + value % 7))
        ring.publish()
        time.sleep(0.02)


def many_open(ring):
    for number in range(1, 70001):
        ring.write(span(ring, number, name=b"s", kind=SPAN_START))


def wakes_without_end(ring):
    good(ring)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        try:
            os.write(4, struct.pack("<Q", 1))
        except BlockingIOError:
            pass


def ring_dropped(ring):
    good(ring)
    struct.pack_into("<II", ring.map, DROPPED + 4 * SPAN, 17, 0)
    struct.pack_into("<I", ring.map, DROPPED + 4 * LOG, 4)


def truncates(ring):
    good(ring)
    for size in (0, HEADER, ring.size * 2):
        try:
            os.ftruncate(3, size)
        except OSError:
            continue
        raise SystemExit("the ring's size is not sealed")


def death_note(ring):
    good(ring)
    open_root(ring)
    struct.pack_into("<II", ring.map, DEATH, 1, 0xFFFFFFFF)
    ring.map[DEATH + 8 : DEATH + 16] = b"\x1b[31m\xff\x00!"
    os.abort()


def death_note_unknown(ring):
    open_root(ring)
    struct.pack_into("<II", ring.map, DEATH, 4711, 4)
    ring.map[DEATH + 8 : DEATH + 12] = b"what"
    os._exit(99)


def exit_code(ring):
    good(ring)
    open_root(ring)
    os._exit(int(sys.argv[-1]))


def nothing(ring):
    pass


def a_child_holds_the_ring(ring):
    """The worker ends; a process it made writes on."""
    good(ring)
    sys.stdout.flush()
    if os.fork() == 0:
        os.setsid()
        os.closerange(0, 3)
        number = 5000
        end = time.monotonic() + 3
        while time.monotonic() < end:
            if ring.room() > 100000:
                number += 1
                ring.put(span(ring, number))
                ring.publish()
        os._exit(0)


# -- rings of child isolates: record-format.md section 6.


FREE, USED, ENDED = 0, 1, 2


class Places:
    def __init__(self):
        number = int(sys.argv[sys.argv.index("--places-fd") + 1])
        self.map = mmap.mmap(number, os.fstat(number).st_size)
        self.words = memoryview(self.map).cast("I")
        magic, version, self.count, self.capacity = struct.unpack_from("<IIII", self.map, 0)
        assert (magic, version) == (0x4C505253, 1)
        assert len(self.map) == 4096 + self.count * (HEADER + self.capacity)

    def set(self, place, state):
        self.words[16 + place] = state

    def wait_until_free(self, place):
        while self.words[16 + place] != FREE:
            time.sleep(0.001)


class ChildRing(Ring):
    """The ring of a place, as an honest child has it."""

    def __init__(self, first, places, place):
        self.places, self.place = places, place
        at = 4096 + place * (HEADER + places.capacity)
        view = memoryview(places.map)[at : at + HEADER + places.capacity]
        self.map, self.words, self.capacity, self.head = view, view.cast("I"), places.capacity, 0
        view[:HEADER] = bytes(HEADER)
        view[16:40] = first.map[16:40]
        self.words[WAKE_AT // 4] = 1
        places.set(place, USED)


def child_ends(ring):
    """Two children in one place, one after the other, with the same ids of interned strings."""
    places = Places()
    for number, name in ((1, b"first"), (2, b"second")):
        child = ChildRing(ring, places, 3)
        child.write(record(STRING, struct.pack("<II", 1, len(name)) + name))
        # An interned name is not inline.
        child.write(struct.pack("<I", 80) + span(child, number, ref=1)[4:80])
        child.write(span(child, 0x100 + number, name=b"left open", kind=SPAN_START))
        places.set(3, ENDED)
        ring.publish()
        places.wait_until_free(3)
    good(ring, first=100)


def child_breaks_its_ring(ring):
    good(ring)
    child = ChildRing(ring, Places(), 0)
    open_root(child)
    good(child, first=50, count=5)
    child.put(record(SPAN, bytes(80), length=83))
    child.publish()
    time.sleep(60)


def child_head_beyond(ring):
    good(ring)
    child = ChildRing(ring, Places(), 1)
    child.publish(child.capacity + 8)
    time.sleep(60)


def child_garbage(ring):
    """All of the file is noise, states and table included, again and again."""
    source = random.Random(int(sys.argv[-1]))
    places = Places()
    good(ring)
    ring.wait_until_read()
    for _ in range(30):
        places.map[0:4096] = source.randbytes(4096)
        for place in range(places.count):
            places.set(place, source.choice([FREE, USED, ENDED, 4711]))
            at = 4096 + place * (HEADER + places.capacity)
            places.map[at : at + 8192] = source.randbytes(8192)
        os.write(4, struct.pack("<Q", 1))
        time.sleep(0.002)
    time.sleep(60)


def child_states_flicker(ring):
    """Places that end and begin faster than anybody could use them."""
    places = Places()
    good(ring)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        for place in range(places.count):
            places.set(place, ENDED)
        os.write(4, struct.pack("<Q", 1))
    good(ring, first=1000)


def children_are_killed(ring):
    places = Places()
    for place in range(places.count):
        child = ChildRing(ring, places, place)
        good(child, first=1000 * (place + 1), count=10)
        child.write(span(child, 1000 * (place + 1) + 500, name=b"open child", kind=SPAN_START))
    os.kill(os.getpid(), 9)


def main():
    entry = sys.argv[sys.argv.index("--") + 1]
    ring = Ring()
    globals()[os.path.splitext(os.path.basename(entry))[0]](ring)
    sys.stdout.flush()


main()
