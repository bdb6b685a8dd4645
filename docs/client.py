#!/usr/bin/env python3
"""A client of Tiltyard in one file, written from PROTOCOL.md: what a port to another language has to do.

It joins a room of the arena, walks about, and applies every frame to a replica of its own: views, all forms of chunks,
the own group, groups left behind, pieces, events. Every frame carries a hash that the replica must match. On the way it
asks to be brought up to date, then anew, and breaks its connection to resume its seat on another one. At the end it
prints one line; the exit status is 0 only if all frames matched and there were enough. Only Python's own library:

    python3 docs/client.py ws://127.0.0.1:8080/ws [seconds]
"""
import base64, json, os, select, socket, struct, sys, time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

U32, GOLDEN = 0xFFFFFFFF, 0x9E3779B1
START, INPUTS, MOVED, REFUSED, HASH, OWN = 1, 2, 4, 8, 16, 32  # bits of a head
VIEW, BEHIND, CHUNKS, EVENTS, _LOST, GROUP = 1, 2, 4, 8, 16, 32  # bits of a body and of an own part
WELCOME, ENTERED, NO, GOODBYE, PING, PONG = 0, 1, 3, 4, 10, 11  # messages of the server; all others are passed over here
LEFT, PIECES, WALKS = 21, 1, ((127, 0), (0, 127), (-127, 0), (0, -127))
def check(condition, complaint):
    if not condition:
        raise ValueError(complaint)

class WebSocket:  # RFC 6455, as much of it as this server says
    def __init__(self, url, timeout=5):
        parts = urlsplit(url)
        self.tcp = socket.create_connection((parts.hostname, parts.port or 80), timeout)
        key = base64.b64encode(os.urandom(16)).decode()
        self.tcp.sendall((f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
                          f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.left, self.parts = b"", b""
        while b"\r\n\r\n" not in self.left:
            self.more()
        answer, self.left = self.left.split(b"\r\n\r\n", 1)
        check(b" 101 " in answer.split(b"\r\n")[0], f"no WebSocket: {answer}")
    def more(self):
        check(data := self.tcp.recv(1 << 16), "the connection is gone")
        self.left += data
    def send(self, data, opcode=2):  # a whole message in one frame, masked
        size = bytes([128 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i & 3] for i, byte in enumerate(data))
        self.tcp.sendall(bytes([128 | opcode]) + size + mask + masked)
    def frame(self):  # the next frame if it is whole: final, opcode, payload
        head, length = 2, self.left[1] & 127 if len(self.left) > 1 else 1 << 62
        if length in (126, 127):
            wide = 2 if length == 126 else 8
            head, length = 2 + wide, int.from_bytes(self.left[2 : 2 + wide], "big") if len(self.left) >= 2 + wide else 1 << 62
        if len(self.left) < head + length:
            return None
        first, payload, self.left = self.left[0], self.left[head : head + length], self.left[head + length :]
        return first & 128, first & 15, payload
    def recv(self, until):  # the next binary message; none if it does not come in time
        while True:
            while got := self.frame():
                final, opcode, payload = got
                if opcode == 9:
                    self.send(payload, 10)
                elif opcode < 8:
                    self.parts += payload
                    if final:
                        message, self.parts = self.parts, b""
                        return message
                else:
                    check(opcode == 10, f"closed: {payload}")
            if not select.select([self.tcp], [], [], max(0, until - time.monotonic()))[0]:
                return None
            self.more()

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
        self.event, self.events, self.head = 0, 0, 0  # last consumed, how many; the tick of the last head
        self.settled, self.sent, self.refused, self.lead = 0, 0, 0, 4  # of inputs; how far ahead to aim them
    def resync(self, anew):  # begins an epoch: what to ask for
        self.epoch += 1
        if anew:
            self.tick, self.tables, self.view, self.own, self.behind = 0, {}, [], None, {}
        return uint(self.epoch) + (b"\1" + uint(self.tick) if self.tick else b"\0") + uint(self.event)
    def report(self):
        return uint(self.epoch) + uint(self.tick) + uint(self.event)
    def current(self):  # what a resume says is held
        groups = sorted(self.tables.keys() - self.behind.keys())[:1024]
        return uint(len(groups)) + b"".join(map(uint, groups))
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
                for place in reader.rising(reader.golomb(0), lambda: reader.golomb(2)):
                    check(version == base, "a move from another version")
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
    def change_view(self, reader, start):
        for place in [] if start else list(reader.rising(reader.varint(), reader.varint)):
            del self.tables[self.view[place]]
        groups = list(reader.rising(reader.varint(), reader.varint))
        for group in self.view if start else []:
            if group not in groups:
                del self.tables[group]
        for group in groups:
            if group not in self.tables:
                self.tables[group], self.behind[group] = Table(), 0
        self.view = sorted(self.tables.keys() - {self.own})
    def take_own(self, group):  # the own group from now on; what was held of it stays
        if self.own != group:
            self.tables.pop(self.own, None)
            self.own = group
            if group is not None:
                self.tables[group], self.behind[group] = Table(), 0
    def read_head(self, reader, flags):  # its tick; of the rest what matters here is kept
        start = flags & START
        self.head = reader.plain(32) if start else self.head + 1 + (reader.plain(16) - self.head - 1 & 0xFFFF)
        number = lambda: self.sent - (self.sent - reader.plain(16) & 0xFFFF)
        if flags & INPUTS:
            self.settled, margin = reader.plain(32) if start else number(), signed(reader.varint())
            self.lead = min(40, self.lead + max(0, 1 - margin) - (margin > 3))
        _moved = reader.varint() if flags & MOVED else None
        for _input in range(reader.plain(8) if flags & REFUSED else 0):
            self.refused, _number, _code = self.refused + 1, number(), reader.plain(8)
        return self.head
    def apply(self, data):  # whether the hash of this frame matches; none if it is of an epoch that is over
        reader = Reader(data)
        start = (flags := reader.plain(8)) & START
        if (epoch := reader.varint()) < self.epoch:
            return None
        check(epoch == self.epoch and flags & HASH, "another epoch, or no hash")
        tick = self.read_head(reader, flags)
        told = reader.plain(32), reader.plain(32)
        behind, events = [], {}
        self.before = {group: (table.version, dict(table.members)) for group, table in self.tables.items()}
        if start and not flags & OWN:
            self.take_own(None)
        for own in [False, True] if flags & OWN else [False]:
            part = reader.plain(8)
            if own and (start or part & GROUP):
                self.take_own(reader.varint() if part & GROUP else None)
            elif part & VIEW:
                self.change_view(reader, start)
            for flag, act in (BEHIND, behind.append), (CHUNKS, lambda group: self.chunk(reader, group, tick)):
                groups = ([self.own] if own else self.view) if part & flag else []
                chosen = [group for group in groups if own or reader.plain(1)]
                reader.align()
                for group in chosen:
                    act(group)
            if part & EVENTS:  # each list counts anew
                for number in reader.rising(reader.varint(), reader.varint):
                    events[number] = reader.bytes(reader.varint())
        check(reader.at == 8 * len(data), "bytes behind the frame")
        self.events += sum(number > self.event for number in events)
        self.event = max(self.event, *events) if events else self.event
        self.behind, self.tick = {group: self.behind.get(group, self.tick) for group in behind}, tick
        return told == total(self.group_hash(*item) for item in self.tables.items() if item[0] not in behind)
    def group_hash(self, group, table):
        key = mix(group * GOLDEN + table.version & U32)
        (p0, p1), (q0, q1) = pair(key, table.hash[0]), pair(key ^ U32, table.hash[1])
        return p0 + q1, p1 + q0
    def shown(self):  # of a slot's members that of the newest table, among equals of the highest group
        tables = sorted(self.tables.items(), key=lambda item: (item[1].version, item[0]))
        return {slot: member[0] for _group, table in tables for slot, member in table.members.items()}.items()

class Player:
    def __init__(self, url):
        self.url, self.requests, self.frames, self.verified, self.seen = url, 0, 0, 0, set()
        self.kept, self.aim, self.last, self.pieces, self.passed, self.lost = [], 0, 0, [], 0, 0
        self.replica, self.pings, self.trip = None, {}, None
        self.connect(b"\0" + sized(b"arena"))
    def connect(self, target):  # hello, and a seat
        self.socket, self.requests = WebSocket(self.url), self.requests + 1
        key, schema = bytes(range(16)), b"\1" + uint(self.schema_hash) if self.replica else b"\0"
        self.socket.send(b"\0\2" + sized(b"client.py") + key + b"\0" + uint(PIECES))  # Hello, no credential
        self.answer(WELCOME)
        self.socket.send(b"\1" + uint(self.requests) + target + sized(b"Python") + schema + b"\1\0")  # verify, play
        self.entered(self.answer(ENTERED))
        self.pings, self.next_ping, self.reported = {}, 0, time.monotonic()
    def answer(self, wanted):
        until = time.monotonic() + 5
        while message := self.socket.recv(until):
            reader = Reader(message)
            kind, index = reader.uint(), reader.uint()
            if (kind, index) == (1, wanted):
                return reader
            check(not self.control(index, reader), f"not {wanted}: {message}")
        raise ValueError(f"no answer {wanted}")
    def entered(self, reader):
        check(reader.uint() == self.requests, "the answer to another request")
        self.room, _game, _player, self.token = (
            reader.bytes(17), reader.bytes(reader.uint()), reader.uint(), reader.bytes(17))
        _hz, _every, _tick, taken_in, epoch, self.schema_hash = [reader.uint() for _ in range(6)]
        schema = reader.bytes(reader.uint()) if reader.uint() else None
        _code, _spectator, _grace_ms, self.owner = reader.bytes(reader.uint()), reader.uint(), reader.uint(), reader.uint()
        if schema is not None:
            check(fnv(schema, 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1) == self.schema_hash, "another schema")
            self.replica = Replica(json.loads(schema)["entity"]["kinds"], epoch)
        check(epoch == self.replica.epoch, "another epoch")
        for number, aim, payload, _settled in self.kept:  # what got lost with the connection before
            if number > taken_in:
                self.send_input(number, aim, payload)
    def resume(self):
        self.socket.tcp.close()
        first = self.kept[0][0] if self.kept else self.last + 1
        resync = self.replica.resync(anew=False)
        held = uint(self.owner) + uint(first) + self.replica.current()
        self.pieces = []
        self.connect(b"\3" + self.room + self.token + resync + held)
    def resync(self, anew):
        self.pieces = []
        self.socket.send(b"\4" + self.replica.resync(anew))
    def send_input(self, number, aim, payload):
        inputs = uint(1) + uint(aim) + sized(payload)
        self.socket.send(b"\2" + uint(number) + self.replica.report() + inputs)
        self.reported = time.monotonic()
    def act(self):  # a turn, aimed ahead of the newest frame
        self.last, self.aim = self.last + 1, max(self.aim, self.replica.head + self.replica.lead)
        self.replica.sent = self.last
        payload = struct.pack("<bbf?", *WALKS[self.last % 4], self.last % 4 * 1.5, True)  # walk, aim, fire: "input" of the schema
        self.kept.append([self.last, self.aim, payload, None])
        self.send_input(*self.kept[-1][:3])
    def forget(self, now):  # inputs that have been settled for 10 s, or are behind 256 others that are
        for entry in self.kept:
            if entry[0] <= self.replica.settled:
                entry[3] = entry[3] or now
        settled = sum(entry[3] is not None for entry in self.kept)
        while self.kept and self.kept[0][3] and (now - self.kept[0][3] > 10 or settled > 256):
            self.kept.pop(0)
            settled -= 1
    def beat(self, now):  # pings and reports that are due
        if now >= self.next_ping:
            self.pings[len(self.pings) + 1], self.next_ping = now, now + (1 if len(self.pings) < 5 else 2)
            self.socket.send(b"\x0d" + uint(len(self.pings)))
        if now - self.reported >= 0.1:
            self.reported = now
            self.socket.send(b"\3" + self.replica.report())
    def control(self, index, reader):  # whether it is the last message
        if index == GOODBYE:
            code, words = reader.uint(), reader.bytes(reader.uint())
            check(code == LEFT, f"the server ended it: {code} {words}")
            self.lost = reader.uint() - self.frames  # those on their way when the connection broke
            check(self.lost >= 0, "frames that nobody sent")
            return True
        if index == NO:
            raise ValueError(f"request {reader.uint()} was refused: code {reader.uint()}")
        if index == PING:
            self.socket.send(b"\x0e" + uint(reader.uint()) + uint(0))  # Pong, at once
        elif index == PONG:
            sent, held = self.pings.get(reader.uint()), reader.uint()
            self.trip = max(0, time.monotonic() - sent - held / 1000) if sent else self.trip
        else:
            self.passed += 1
        return False
    def piece(self, message):  # the whole frame with the last one
        reader = Reader(message[1:])
        if (epoch := reader.varint()) < self.replica.epoch:
            return None
        number, last = reader.varint(), reader.plain(8)
        part = message[1 + reader.at // 8 :]
        check(epoch == self.replica.epoch and number == len(self.pieces) and part, "not the next piece")
        self.pieces.append(part)
        if not last:
            return None
        whole, self.pieces = b"".join(self.pieces), []
        return whole
    def hear(self, message):  # whether it is the last message
        if message[0] == 1:
            reader = Reader(message[1:])
            return self.control(reader.uint(), reader)
        whole = self.piece(message) if message[0] == 2 else message
        if whole:
            check(not self.pieces, "a frame between pieces")
            self.frames += 1
            matches = self.replica.apply(whole[1:])
            self.verified += matches is not False
            self.seen.update(self.replica.shown())
        return False
    def play(self, seconds):
        start, leaving = time.monotonic(), False
        steps = [(seconds * 0.3, lambda: self.resync(False)), (seconds * 0.5, lambda: self.resync(True)),
                 (seconds * 0.7, self.resume)]
        while True:
            now = time.monotonic()
            if not leaving:
                self.beat(now)
                self.forget(now)
                if steps and now - start >= steps[0][0]:
                    steps.pop(0)[1]()
                elif leaving := now - start >= seconds:
                    self.socket.send(b"\5")  # Leave
                elif (now - start) * 2 >= self.last:  # turns twice a second
                    self.act()
            message = self.socket.recv(now + (5 if leaving else 0.05))
            if message and self.hear(message):
                break
            check(message or not leaving, "no Goodbye")
        mismatches = self.frames - self.verified
        print(f"frames {self.frames}, verified {self.verified}, entities seen {len(self.seen)}, "
              f"mismatches {mismatches}, lost {self.lost}, events {self.replica.events}, refused {self.replica.refused}, "
              f"round trip {self.trip * 1000:.1f} ms")
        return mismatches == 0 and self.frames >= 14 * seconds

if __name__ == "__main__":
    sys.exit(0 if Player(sys.argv[1]).play(float((sys.argv[2:] or [10])[0])) else 1)
