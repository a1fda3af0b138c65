#!/usr/bin/env python3
"""Writes the inputs of the log table of docs/performance.md: lines of 210 to 310 bytes of one kind, the same for the same arguments.

Usage: generate.py KIND MEGABYTES FILE
KIND: plain, json, docker, docker-json, cri, cri-json, stacks. Prints how many records the file has.
"""
import json
import random
import sys

WORDS = ("request cache user order payment session token worker queue item page index shard replica timeout retry stream "
         "socket handler route query batch upload customer invoice checkout delivery").split()
PATHS = ["/api/orders", "/api/users/me", "/api/cart", "/health", "/api/search?q=shoes", "/assets/app.js"]
LEVELS = [("info", 30)] * 7 + [("warn", 40)] * 2 + [("error", 50)]
START = 1_795_687_200_000


def text(chance, least, most):
    want = chance.randint(least, most)
    words = []
    size = 0
    while size < want:
        words.append(chance.choice(WORDS))
        size += len(words[-1]) + 1
    return " ".join(words)


def clock(number, digits):
    millisecond = START + number // 10
    second = millisecond // 1000
    fraction = f"{millisecond % 1000:03d}{number % 10}00000"[:digits]
    return f"2026-11-{26 + second // 86400 % 4:02d}T{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{fraction}Z"


def plain(chance, number):
    level = chance.choice(LEVELS)[0].upper()
    return f"{clock(number, 3)} {level:5} [worker-{chance.randint(1, 8)}] shop.orders - {text(chance, 150, 240)} n={number}"


def as_json(chance, number):
    return json.dumps({
        "level": chance.choice(LEVELS)[1], "time": START + number // 10, "pid": 4711, "hostname": "web-7d9f", "reqId": f"req-{number}",
        "trace_id": f"{chance.getrandbits(128):032x}", "span_id": f"{chance.getrandbits(64):016x}", "method": "GET",
        "url": chance.choice(PATHS), "statusCode": chance.choice([200, 200, 200, 404, 500]), "responseTime": chance.randint(1, 9000) / 10,
        "msg": text(chance, 30, 60)}, separators=(",", ":"))


def docker(line, number):
    return json.dumps({"log": line + "\n", "stream": "stdout", "time": clock(number, 9)}, separators=(",", ":"))


def stack(chance, number):
    name = chance.choice(["TypeError", "Error", "RangeError", "ValidationError"])
    lines = [f"{name}: {text(chance, 20, 50)} n={number}"]
    for _ in range(chance.randint(4, 12)):
        lines.append(f"    at {chance.choice(WORDS)}.{chance.choice(WORDS)} (/app/node_modules/{chance.choice(WORDS)}/lib/"
                     f"{chance.choice(WORDS)}.js:{chance.randint(1, 900)}:{chance.randint(1, 80)})")
    if number % 8 == 0:
        lines[-1] += " {"
        lines += ["  [cause]: Error: connect ECONNREFUSED 127.0.0.1:5432", "      at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16)", "}"]
    return "\n".join(lines)


def record(kind, chance, number):
    match kind:
        case "plain": return plain(chance, number)
        case "json": return as_json(chance, number)
        case "docker": return docker(plain(chance, number), number)
        case "docker-json": return docker(as_json(chance, number), number)
        case "cri": return f"{clock(number, 9)} stdout F {plain(chance, number)}"
        case "cri-json": return f"{clock(number, 9)} stdout F {as_json(chance, number)}"
        case "stacks": return stack(chance, number) if number % 3 else plain(chance, number)
    raise SystemExit(f"generate.py: no kind {kind}")


def main():
    kind, megabytes, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    chance = random.Random(kind)
    number = size = 0
    with open(path, "w", encoding="ascii") as out:
        while size < megabytes * 1_000_000:
            line = record(kind, chance, number) + "\n"
            out.write(line)
            size += len(line)
            number += 1
    print(number)


main()
