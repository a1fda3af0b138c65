'use strict';
// @ts-check
// node:os, as far as a service asks: https://nodejs.org/api/os.html. What is not here is not exported, so that an import of it fails by name.

const {
    ArrayPrototypePush, MathFloor, Number, ObjectFreeze, RegExpPrototypeExec, StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeTrim,
} = primordials;
const { withDefault } = internal.load('node_errors');
const { process } = internal.globals;
const { split } = internal.text;

/** A file of /proc as text; "" where there is none. */
function read(path) {
    try {
        return ops.decodeUtf8(ops.readFile(path), false, false);
    } catch {
        return '';
    }
}

const line = (path) => StringPrototypeTrim(read(path));

/** Of /proc/meminfo, in bytes. */
function memory(name) {
    const lines = split(read('/proc/meminfo'), '\n');
    for (let i = 0; i < lines.length; i++) {
        if (!StringPrototypeStartsWith(lines[i], `${name}:`)) continue;
        return Number(RegExpPrototypeExec(/\d+/, lines[i])?.[0] ?? 0) * 1024;
    }
    return 0;
}

const clockTick = 10; // ms: USER_HZ is 100 on Linux

function cpus() {
    const list = [];
    const stat = split(read('/proc/stat'), '\n');
    const models = [];
    const speeds = [];
    const info = split(read('/proc/cpuinfo'), '\n');
    for (let i = 0; i < info.length; i++) {
        const match = RegExpPrototypeExec(/^(model name|cpu MHz)\s*:\s*(.*)$/, info[i]);
        if (match !== null) ArrayPrototypePush(match[1] === 'cpu MHz' ? speeds : models, match[2]);
    }
    for (let i = 0; i < stat.length; i++) {
        const match = RegExpPrototypeExec(/^cpu\d+ (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)/, stat[i]);
        if (match === null) continue;
        const time = (field) => Number(match[field]) * clockTick;
        ArrayPrototypePush(list, {
            model: models[list.length] ?? 'unknown', speed: MathFloor(Number(speeds[list.length] ?? 0)),
            times: { user: time(1), nice: time(2), sys: time(3), idle: time(4), irq: time(6) },
        });
    }
    return list;
}

const exports = {
    EOL: '\n', devNull: '/dev/null',
    arch: () => process.arch,
    availableParallelism: () => internal.navigator.hardwareConcurrency(),
    cpus,
    endianness: () => 'LE',
    freemem: () => memory('MemAvailable'),
    homedir: () => process.env.HOME ?? '/root',
    hostname: () => line('/proc/sys/kernel/hostname') || line('/etc/hostname') || 'localhost',
    loadavg() {
        const match = RegExpPrototypeExec(/^([\d.]+) ([\d.]+) ([\d.]+)/, read('/proc/loadavg'));
        return match === null ? [0, 0, 0] : [Number(match[1]), Number(match[2]), Number(match[3])];
    },
    machine: () => (process.arch === 'x64' ? 'x86_64' : process.arch === 'arm64' ? 'aarch64' : process.arch),
    platform: () => process.platform,
    release: () => line('/proc/sys/kernel/osrelease'),
    tmpdir() {
        const path = process.env.TMPDIR || process.env.TMP || process.env.TEMP || '/tmp';
        return path.length > 1 && path[path.length - 1] === '/' ? StringPrototypeSlice(path, 0, -1) : path;
    },
    totalmem: () => memory('MemTotal'),
    type: () => line('/proc/sys/kernel/ostype') || 'Linux',
    uptime: () => Number(RegExpPrototypeExec(/^[\d.]+/, read('/proc/uptime'))?.[0] ?? 0),
    version: () => line('/proc/sys/kernel/version'),
    constants: ObjectFreeze({
        signals: ObjectFreeze({
            SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13,
            SIGALRM: 14, SIGTERM: 15, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20,
        }),
    }),
};
return withDefault(exports);
