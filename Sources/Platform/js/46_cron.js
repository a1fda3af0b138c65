'use strict';
// @ts-check
// Cron expressions, as crontab(5) has them (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/crontab.html): five fields in UTC, names, ranges,
// steps, lists, and the nicknames @hourly … @yearly. Pure: times come in and go out as Unix milliseconds.

const {
    ArrayPrototypeIndexOf, ArrayPrototypePush, Date, DatePrototypeGetUTCDate, DatePrototypeGetUTCDay, DatePrototypeGetUTCFullYear, DatePrototypeGetUTCHours,
    DatePrototypeGetUTCMinutes, DatePrototypeGetUTCMonth, DateUTC, MathFloor, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice,
    StringPrototypeToLowerCase, StringPrototypeTrim, TypeError, cutOff,
} = primordials;
const { split } = internal.text;

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const fields = [
    { name: 'minute', min: 0, max: 59, names: [] },
    { name: 'hour', min: 0, max: 23, names: [] },
    { name: 'day of month', min: 1, max: 31, names: [] },
    { name: 'month', min: 1, max: 12, names: months },
    { name: 'day of week', min: 0, max: 7, names: days }, // 0 and 7 are Sunday
];

const nicknames = {
    __proto__: null, '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *', '@monthly': '0 0 1 * *', '@weekly': '0 0 * * 0', '@daily': '0 0 * * *',
    '@midnight': '0 0 * * *', '@hourly': '0 * * * *',
};

const digits = /^\d{1,4}$/;

class Schedule {
    constructor(text) {
        this.text = text;
        /** By field, by value: whether it is meant. */
        this.sets = [];
        /** A field that begins with * does not restrict the day. */
        this.anyDay = false;
        this.anyWeekday = false;
    }
}
cutOff(Schedule);

/** @returns {Schedule} Throws TypeError, which names the field. */
function parse(expression) {
    const given = StringPrototypeTrim(`${expression}`);
    const lower = StringPrototypeToLowerCase(given);
    const fail = (why) => new TypeError(`The cron expression ${internal.inspect(given)} is not valid: ${why}`);
    let text = lower;
    if (lower[0] === '@') {
        text = nicknames[lower];
        if (text === undefined) throw fail('the nicknames are @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually');
    }
    const parts = [];
    const words = split(text, ' ');
    for (let i = 0; i < words.length; i++) {
        const word = StringPrototypeTrim(words[i]);
        if (word !== '') ArrayPrototypePush(parts, word);
    }
    if (parts.length !== 5) throw fail(`it has ${parts.length} fields, not 5 (minute, hour, day of month, month, day of week)`);
    const schedule = new Schedule(given);
    for (let i = 0; i < 5; i++) schedule.sets[i] = parseField(parts[i], fields[i], (why) => fail(`${fields[i].name}: ${why}`));
    schedule.anyDay = parts[2][0] === '*';
    schedule.anyWeekday = parts[4][0] === '*';
    if (schedule.sets[4][7]) schedule.sets[4][0] = true;
    if (nextTime(schedule, DateUTC(2000, 0, 1)) === null) throw fail('there is no such day');
    return schedule;
}

/** List of range, range/step, star, star/step. */
function parseField(text, field, fail) {
    const set = [];
    for (let i = 0; i <= field.max; i++) set[i] = false;
    const items = split(text, ',');
    for (let i = 0; i < items.length; i++) {
        let range = items[i];
        if (range === '') throw fail('an element of the list is empty');
        let step = 1;
        const slash = StringPrototypeIndexOf(range, '/');
        if (slash >= 0) {
            const given = StringPrototypeSlice(range, slash + 1);
            if (RegExpPrototypeExec(digits, given) === null || +given === 0) throw fail(`the step ${internal.inspect(given)} is not a number of at least 1`);
            step = +given;
            range = StringPrototypeSlice(range, 0, slash);
        }
        let from;
        let to;
        if (range === '*') {
            from = field.min;
            to = field.name === 'day of week' ? 6 : field.max;
        } else {
            const dash = StringPrototypeIndexOf(range, '-');
            from = parseValue(dash < 0 ? range : StringPrototypeSlice(range, 0, dash), field, fail);
            to = dash >= 0 ? parseValue(StringPrototypeSlice(range, dash + 1), field, fail) : slash >= 0 ? field.max : from;
            if (to < from && dash >= 0 && field.name === 'day of week' && to === 0) to = 7; // fri-sun
            if (to < from) throw fail(`the range ${range} ends before it begins`);
        }
        for (let value = from; value <= to; value += step) set[value] = true;
    }
    return set;
}

function parseValue(text, field, fail) {
    const name = ArrayPrototypeIndexOf(field.names, text);
    if (name >= 0) return name + field.min;
    if (RegExpPrototypeExec(digits, text) === null) throw fail(`${internal.inspect(text)} is not a number${field.names.length > 0 ? ' or a name' : ''}`);
    const value = +text;
    if (value < field.min || value > field.max) throw fail(`${value} is not in ${field.min} to ${field.max}`);
    return value;
}

function daysIn(year, month) {
    if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
    return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** When both day fields restrict, one of them is enough. */
function isDay(schedule, day, weekday) {
    const byDay = schedule.sets[2][day];
    const byWeekday = schedule.sets[4][weekday];
    return schedule.anyDay || schedule.anyWeekday ? byDay && byWeekday : byDay || byWeekday;
}

/** The first value of `set` from `from` on; -1: none. */
function nextIn(set, from, max) {
    for (let value = from; value <= max; value++) if (set[value]) return value;
    return -1;
}

// A 29th of February that must be a certain weekday can be 40 years away, over a year such as 2100.
const YEARS_MAX = 41;

/**
 * The first time after `after` that is meant, both in Unix milliseconds.
 * @param {Schedule} schedule @param {number} after
 * @returns {number | null} null: never
 */
function nextTime(schedule, after) {
    const date = new Date(MathFloor(after / 60000) * 60000 + 60000);
    let year = DatePrototypeGetUTCFullYear(date);
    let month = DatePrototypeGetUTCMonth(date) + 1;
    let day = DatePrototypeGetUTCDate(date);
    let hour = DatePrototypeGetUTCHours(date);
    let minute = DatePrototypeGetUTCMinutes(date);
    const { sets } = schedule;
    const lastYear = year + YEARS_MAX;
    while (year <= lastYear) {
        if (sets[3][month]) {
            const last = daysIn(year, month);
            const first = DatePrototypeGetUTCDay(new Date(DateUTC(year, month - 1, 1)));
            for (; day <= last; day++) {
                if (isDay(schedule, day, (first + day - 1) % 7)) {
                    for (let h = nextIn(sets[1], hour, 23); h >= 0; h = nextIn(sets[1], h + 1, 23)) {
                        const m = nextIn(sets[0], h === hour ? minute : 0, 59);
                        if (m >= 0) return DateUTC(year, month - 1, day, h, m);
                    }
                }
                hour = minute = 0;
            }
        }
        day = 1;
        hour = minute = 0;
        if (++month > 12) {
            month = 1;
            year++;
        }
    }
    return null;
}

internal.cron = { parse, nextTime };
