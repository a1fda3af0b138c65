#!/usr/bin/env python3
"""CPU time of operations of Web Cryptography, beside Node and Deno: all threads, less what the same program takes without the operation.

usage: Benchmarks/crypto.py WORKER [NODE] [DENO]     prints microseconds an operation, medians of three rounds in which the three take turns
"""
import pathlib
import resource
import statistics
import subprocess
import sys

PROGRAM = pathlib.Path(__file__).with_suffix(".mjs")
ROUNDS = 3
COUNTS = {"1 MiB": 200, "PBKDF2": 20}  # others: 20000


def seconds(command, *arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, PROGRAM, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    contenders = [[path] for path in sys.argv[1:3]] + [[path, "run", "--allow-all", "--no-prompt"] for path in sys.argv[3:4]]
    names = subprocess.run([*contenders[0], PROGRAM], check=True, capture_output=True, text=True).stdout.split("\n")
    for name in filter(None, names):
        count = next((count for part, count in COUNTS.items() if part in name), 20000)
        taken = [[] for _ in contenders]
        for _ in range(ROUNDS):
            for command, list_ in zip(contenders, taken):
                list_.append((seconds(command, name, count) - seconds(command, name, 0)) / count * 1e6)
        medians = [statistics.median(list_) for list_ in taken]
        print(f"| {name} | " + " | ".join(f"{median:,.1f}" for median in medians) + f" | {medians[1] / medians[0]:.1f} |" if len(medians) > 1 else "", flush=True)


main()
