#!/usr/bin/env python3
"""A client of Tiltyard in one file, written from PROTOCOL.md: what a port to another language has to do.

It joins a room of the arena, walks about, and applies every frame to a replica of its own: views, all forms of chunks,
the own group, groups left behind, events. Every frame carries a hash that the replica must match. At the end it prints
one line; the exit status is 0 only if all frames matched and there were enough. Not shown: to jump and to resume.

    pip install websockets; python3 docs/client.py ws://127.0.0.1:8080/ws [seconds]
"""
import json, struct, sys, time
from dataclasses import dataclass, field
from websockets.sync.client import connect

U32, GOLDEN = 0xFFFFFFFF, 0x9E3779B1
START, INPUTS, MOVED, REFUSED, HASH, OWN = 1, 2, 4, 8, 16, 32  # bits of a head
VIEW, BEHIND, CHUNKS, EVENTS, _LOST, GROUP = 1, 2, 4, 8, 16, 32  # bits of a body and of an own part
WELCOME, ENTERED, GOODBYE, LEFT, WALKS = 0, 1, 4, 21, ((127, 0), (0, 127), (-127, 0), (0, -127))
def check(condition, complaint):
    if not condition:
        raise ValueError(complaint)

class Reader:  # of all three codings: bits, from the lowest of each byte
    def __init__(self, data):
        self.data, self.at = data, 0
    def plain(self, width):
        start, self.at = self.at, self.at + width
        check(self.at <= 8 * len(self.data), "truncated")
        return int.from_bytes(self.data[start >> 3 : self.at + 7 >> 3], "little") >> (start & 7) & (1 << width) - 1
    def bytes(self, length):
        return self.plain(8 * length).to_bytes(length, "little")
    def align(self):
        self.at = self.at + 7 & ~7
    def varint(self):
        low, more = self.plain(7), self.plain(1)
        return low | self.varint() << 7 if more else low
    def uint(self):  # bincode
        byte = self.plain(8)
        return byte if byte <= 250 else self.plain({251: 16, 252: 32, 253: 64}[byte])
    def golomb(self, order):
        zeros = next(n for n in range(33) if self.plain(1))
        return ((1 << zeros | self.plain(zeros)) - 1) << order | self.plain(order)
    def coded(self, code):  # a learned one: the codeword of a cell, then the place in the cell
        word = length = 0
        while (length, word) not in code:
            check(length < 12, "no codeword")
            word, length = word << 1 | self.plain(1), length + 1
        start, raw = code[length, word]
        return start + self.plain(raw)
    def rising(self, count, gap=None):
        order, at = self.plain(4) if count and not gap else 0, -1  # unless told how to read a gap, its order is first
        for _ in range(count):
            at += 1 + (gap() if gap else self.golomb(order))
            yield at

def uint(value):
    tag = 251 + (value >= 1 << 16) + (value >= 1 << 32)
    return bytes([value]) if value <= 250 else bytes([tag]) + value.to_bytes(2 << tag - 251, "little")
def sized(data):
    return uint(len(data)) + data
def fnv(data, start, factor, mask):
    for byte in data:
        start = (start ^ byte) * factor & mask
    return start
def mix(x):
    x = (x ^ x >> 16) * 0x85EBCA6B & U32
    x = (x ^ x >> 13) * 0xC2B2AE35 & U32
    return x ^ x >> 16
def pair(key, content):
    return mix(key ^ content), mix((key << 16 | key >> 16) + (content ^ 0x5BD1E995) & U32)
def total(pairs):
    return tuple(sum(column) & U32 for column in zip((0, 0), *pairs))
def learned(text, width):  # (length, codeword): (first value, raw bits) of each cell; none without a text
    digits = [int(digit, 36) for digit in text]
    code, start, word, order = {}, 0, 0, []
    for length, raw in zip(digits[::2], digits[1::2]):
        order, start = order + [(length, start, raw)], start + (1 << raw)
    check(not text or start == 1 << width, "a code of other values")
    for length, start, raw in sorted(order):  # shorter codewords first, then by value
        code[length, word >> 12 - length], word = (start, raw), word + (1 << 12 - length)
    check(not text or word == 1 << 12, "no prefix code")
    return code
def lane_coding(lane):  # width in bits, the Golomb order of differences, whether it is linear, learned codes
    match lane["quantizer"]:
        case {"type": "fixed" | "int", "max": largest}: pass
        case {"type": "angle", "bits": bits}: largest = (1 << bits) - 1
        case {"type": "choice", "names": names}: largest = len(names) - 1
        case {"type": kind}: largest = {"bool": 1, "entity": U32}[kind]
    width, linear, texts = largest.bit_length(), lane.get("linear", False), lane.get("learned", {})
    codes = [learned(texts.get(of, ""), width + 8 * linear) for of in ("change", "error", "whole")]
    return width, lane["coding"]["golomb"]["k"], linear, *codes
def signed(zigzag):
    return zigzag >> 1 ^ -(zigzag & 1)

@dataclass
class Table:
    members: dict = field(default_factory=dict)  # slot: (generation, kind, [codes of lanes, lines of linear ones, blobs])
    version: int = 0
    hash: tuple = (0, 0)

class Replica:
    def __init__(self, schema, epoch):
        self.kinds = [[*map(lane_coding, kind["lanes"]), *map(lambda _: None, kind["blobs"])] for kind in schema]
        self.masks = [learned(kind.get("mask", ""), len(codings)) for kind, codings in zip(schema, self.kinds)]
        self.epoch, self.tick, self.tables, self.view, self.own = epoch, 0, {}, [], None
        self.behind = {}  # group: the tick until which nothing was missed
        self.event, self.events, self.lead = 0, 0, 4  # last consumed, how many; how far ahead to aim inputs
    def content(self, reader, coding):
        if not coding:
            return reader.bytes(reader.golomb(4))
        width, order, linear, _change, _error, whole = coding
        if not linear:
            return reader.coded(whole) if whole else reader.plain(width)
        rate = reader.coded(whole) if whole else reader.plain(1)
        if rate == 0:  # a line that stands still
            return reader.plain(width) << 8 | 128, 0
        origin = reader.plain(width + 8)
        return origin, signed(rate if whole else reader.golomb(order) + 1) & (1 << width + 8) - 1
    def line(self, reader, coding, line, tick):  # the new line, by the new rate and by how much it misses the old one
        origin, rate = line
        width, order, _linear, change, error, _whole = coding
        if change:
            change, error = signed(reader.coded(change)), signed(reader.coded(error) if error else reader.golomb(3))
        elif reader.plain(1) == 0:
            change, error = 0, signed(reader.golomb(3) + 1)
        else:
            change, error = signed(reader.golomb(order) + 1), signed(reader.golomb(3))
        mask = (1 << width + 8) - 1
        return origin + error - change * (tick - 1) & mask, rate + change & mask
    def whole(self, reader):
        generation, kind = reader.golomb(4), reader.plain((len(self.kinds) - 1).bit_length())
        return generation, kind, [self.content(reader, coding) for coding in self.kinds[kind]]
    def change(self, reader, member, tick, absolute):
        (_generation, kind, fields), code = member, {} if absolute else self.masks[member[1]]
        mask = reader.coded(code) if code else reader.plain(len(fields))
        for i, coding in enumerate(self.kinds[kind]):
            if mask >> i & 1 and (absolute or not coding):
                fields[i] = self.content(reader, coding)
            elif mask >> i & 1 and coding[2]:
                fields[i] = self.line(reader, coding, fields[i], tick)
            elif mask >> i & 1:
                change = coding[3]
                zigzag = 1 if coding[0] == 1 else 1 + (reader.coded(change) if change else reader.golomb(coding[1]))
                fields[i] = fields[i] + signed(zigzag) & (1 << coding[0]) - 1
        return member
    def chunk(self, reader, group, tick):
        members = (table := self.tables[group]).members
        if reader.plain(1) == 0:  # delta
            check(table.version == tick - 1 - reader.golomb(0), "a delta from another version")
            table.version, slots = tick, sorted(members)
            for place in reader.rising(reader.golomb(1)):
                self.change(reader, members[slots[place]], tick, absolute=False)
            for place in reader.rising(reader.golomb(0), lambda: reader.golomb(2)):
                del members[slots[place]]
            members.update((slot, self.whole(reader)) for slot in reader.rising(reader.golomb(0)))
            for _source in range(reader.golomb(0)):
                reader.align()
                if reader.plain(1):
                    members.update((slot, self.whole(reader)) for slot in reader.rising(reader.golomb(0)))
                    continue
                source, base = group + signed(reader.golomb(3) + 1), tick - 1 - reader.golomb(0)
                version, held = self.before.get(source, (0, {}))
                check(version == base, "a move from another version")
                for place in reader.rising(reader.golomb(0), lambda: reader.golomb(2)):
                    slot = sorted(held)[place]
                    (generation, kind, fields) = held[slot]
                    members[slot] = generation, kind, list(fields)
                    if reader.plain(1):
                        self.change(reader, members[slot], tick, absolute=False)
        else:
            snapshot, version = reader.plain(1), reader.plain(32)
            since, held = 0 if snapshot else reader.plain(32), self.behind.get(group, self.tick)
            check(since <= max(table.version, held), "late catch-up")
            table.version, table.members = version, {
                slot: self.whole(reader) if snapshot or reader.plain(1) else self.change(reader, members[slot], tick, True)
                for slot in reader.rising(reader.golomb(4))}
        reader.align()
        table.hash = total(
            pair(mix((generation << 16 | slot) + i * GOLDEN & U32),
                 fnv(content, 0x811C9DC5, 0x01000193, U32) if isinstance(content, bytes) else
                 content[0] + content[1] * GOLDEN & U32 if isinstance(content, tuple) else content)
            for slot, (generation, kind, fields) in table.members.items()
            for i, content in [(0xFFFF, kind), *enumerate(fields)])
    def apply(self, data):  # whether the hash of this frame matches
        reader = Reader(data)
        start = (flags := reader.plain(8)) & START
        check(reader.varint() == self.epoch, "another epoch")
        tick = reader.plain(32) if start else self.tick + 1 + (reader.plain(16) - self.tick - 1 & 0xFFFF)
        if flags & INPUTS:
            _settled, margin = reader.plain(32 if start else 16), (reader.plain(8) ^ 128) - 128
            self.lead += (margin < 1) - (margin > 3)
        _moved = reader.varint() if flags & MOVED else None
        check(flags & (REFUSED | HASH) == HASH, "an input was refused, or there is no hash")
        told = reader.plain(32), reader.plain(32)
        behind, events = [], {}
        self.before = {group: (table.version, dict(table.members)) for group, table in self.tables.items()}
        for own in [False, True] if flags & OWN else [False]:
            part = reader.plain(8)
            if own and part & GROUP:
                self.own = reader.varint()
                self.tables[self.own], self.behind[self.own] = Table(), 0
            elif part & VIEW:
                for place in [] if start else list(reader.rising(reader.varint(), reader.varint)):
                    del self.tables[self.view[place]]
                for group in reader.rising(reader.varint(), reader.varint):
                    self.tables[group], self.behind[group] = Table(), 0
                self.view = sorted(self.tables.keys() - {self.own})
            for flag, act in (BEHIND, behind.append), (CHUNKS, lambda group: self.chunk(reader, group, tick)):
                groups = ([self.own] if own else self.view) if part & flag else []
                chosen = [group for group in groups if own or reader.plain(1)]
                reader.align()
                for group in chosen:
                    act(group)
            if part & EVENTS:
                events.update((reader.varint(), reader.bytes(reader.varint())) for _ in range(reader.varint()))
        check(reader.at == 8 * len(data), "bytes behind the frame")
        self.events += sum(number > self.event for number in events)
        self.event = max(self.event, *events) if events else self.event
        self.tick, self.behind = tick, {group: self.behind.get(group, self.tick) for group in behind}
        return told == total(self.group_hash(*item) for item in self.tables.items() if item[0] not in behind)
    def group_hash(self, group, table):
        key = mix(group * GOLDEN + table.version & U32)
        (p0, p1), (q0, q1) = pair(key, table.hash[0]), pair(key ^ U32, table.hash[1])
        return p0 + q1, p1 + q0
    def shown(self):  # of a slot's members that of the newest table, among equals of the highest group
        tables = sorted(self.tables.items(), key=lambda item: (item[1].version, item[0]))
        return {slot: member[0] for _group, table in tables for slot, member in table.members.items()}.items()

def play(url, seconds):
    with connect(url, compression=None, max_size=1 << 21) as socket:
        socket.send(b"\0\1" + sized(b"client.py"))  # Hello
        check((message := socket.recv(timeout=5))[:2] == bytes([1, WELCOME]), f"no Welcome: {message}")
        socket.send(b"\1\0" + sized(b"arena") + sized(b"Python") + b"\0\1\0")  # Enter: no schema, verify, play
        check((message := socket.recv(timeout=5))[:2] == bytes([1, ENTERED]), f"no Entered: {message}")
        reader = Reader(message[2:])
        reader.bytes(17), reader.bytes(reader.uint()), reader.uint(), reader.bytes(17)  # room, game, player, token
        *_, epoch, schema_hash, _some = [reader.uint() for _ in range(7)]
        schema = reader.bytes(reader.uint())
        check(fnv(schema, 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1) == schema_hash, "another schema")
        replica, seen = Replica(json.loads(schema)["entity"]["kinds"], epoch), set()
        frames, verified, inputs, aim, leaving, start = 0, 0, 0, 0, False, time.monotonic()
        while (message := socket.recv(timeout=5))[0] == 0:
            frames, verified = frames + 1, verified + replica.apply(message[1:])
            seen.update(replica.shown())
            report = uint(epoch) + uint(replica.tick) + uint(replica.event)
            if leaving:
                continue
            if leaving := (elapsed := time.monotonic() - start) >= seconds:
                socket.send(b"\5")  # Leave
            elif elapsed * 2 >= inputs:  # turns twice a second
                inputs, aim = inputs + 1, max(aim, replica.tick + replica.lead)
                payload = struct.pack("<bbf?", *WALKS[inputs % 4], 0, False)  # walk, aim, fire: "input" of the schema
                socket.send(b"\2" + uint(inputs) + uint(aim) + report + sized(payload))
            else:
                socket.send(b"\3" + report)  # Report
    reader = Reader(message)
    check([reader.uint() for _ in range(3)] == [1, GOODBYE, LEFT], f"the server ended it: {message}")
    check(reader.bytes(reader.uint()) and reader.uint() == frames, "frames are missing")
    print(f"frames {frames}, verified {verified}, entities seen {len(seen)}, mismatches {frames - verified}")
    return verified == frames >= 15 * seconds

if __name__ == "__main__":
    sys.exit(0 if play(sys.argv[1], float((sys.argv[2:] or [10])[0])) else 1)
