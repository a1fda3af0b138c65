// Cron expressions: node --test --experimental-vm-modules Tests/Platform/cron.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { boot } from './harness.mjs';

const { cron } = boot().internal;
const iso = (time) => (time === null ? null : new Date(time).toISOString().slice(0, 16));
const next = (expression, after) => iso(cron.nextTime(cron.parse(expression), Date.parse(`${after}Z`)));

const table = [
    // expression, after, next
    ['* * * * *', '2026-01-01T00:00:00', '2026-01-01T00:01'],
    ['* * * * *', '2026-01-01T00:00:59.999', '2026-01-01T00:01'],
    ['* * * * *', '2026-12-31T23:59:00', '2027-01-01T00:00'],
    ['*/15 * * * *', '2026-01-01T00:15:00', '2026-01-01T00:30'],
    ['*/15 * * * *', '2026-01-01T00:46:00', '2026-01-01T01:00'],
    ['5/20 * * * *', '2026-01-01T00:06:00', '2026-01-01T00:25'],
    ['5/20 * * * *', '2026-01-01T00:45:00', '2026-01-01T01:05'],
    ['10-20/5 * * * *', '2026-01-01T00:16:00', '2026-01-01T00:20'],
    ['10-20/5 * * * *', '2026-01-01T00:20:00', '2026-01-01T01:10'],
    ['0,30 9-17 * * 1-5', '2026-01-02T17:30:00', '2026-01-05T09:00'],
    ['0,30 9-17 * * mon-fri', '2026-01-02T17:00:00', '2026-01-02T17:30'],
    ['0 0 1 * *', '2026-01-31T12:00:00', '2026-02-01T00:00'],
    ['0 0 31 * *', '2026-01-31T00:00:00', '2026-03-31T00:00'],
    ['0 0 31 * *', '2026-03-31T00:00:00', '2026-05-31T00:00'],
    ['0 0 30 * *', '2026-01-30T00:00:00', '2026-03-30T00:00'],
    ['0 0 29 2 *', '2026-01-01T00:00:00', '2028-02-29T00:00'],
    ['0 0 29 2 *', '2028-02-29T00:00:00', '2032-02-29T00:00'],
    ['0 0 29 2 *', '2096-02-29T00:00:00', '2104-02-29T00:00'], // 2100 is no leap year
    ['0 0 29 2 *', '1999-03-01T00:00:00', '2000-02-29T00:00'], // 2000 is one
    ['59 23 28-31 * *', '2026-02-28T23:59:00', '2026-03-28T23:59'],
    ['59 23 31 12 *', '2026-12-31T23:59:00', '2027-12-31T23:59'],
    ['0 12 * jan,jul *', '2026-01-31T12:00:00', '2026-07-01T12:00'],
    ['0 0 * 2-4/2 *', '2026-02-28T00:00:00', '2026-04-01T00:00'],
    ['0 0 * * 0', '2026-01-01T00:00:00', '2026-01-04T00:00'],
    ['0 0 * * 7', '2026-01-01T00:00:00', '2026-01-04T00:00'],
    ['0 0 * * SUN', '2026-01-01T00:00:00', '2026-01-04T00:00'],
    ['0 0 * * fri-sun', '2026-01-05T00:00:00', '2026-01-09T00:00'],
    ['0 0 * * 5-7', '2026-01-10T00:00:00', '2026-01-11T00:00'],
    ['0 0 * * */2', '2026-01-04T00:00:00', '2026-01-06T00:00'],
    // Both day fields restrict: either will do.
    ['0 0 13 * 5', '2026-01-01T00:00:00', '2026-01-02T00:00'],
    ['0 0 13 * 5', '2026-01-09T00:00:00', '2026-01-13T00:00'],
    // One begins with a star: both must.
    ['0 0 */2 * 5', '2026-01-01T00:00:00', '2026-01-09T00:00'],
    ['0 0 13 * *', '2026-01-01T00:00:00', '2026-01-13T00:00'],
    ['0 0 * * 5', '2026-01-02T00:00:00', '2026-01-09T00:00'],
    ['0 0 29 2 1', '2026-02-23T00:00:00', '2027-02-01T00:00'],
    ['@hourly', '2026-01-01T05:00:00', '2026-01-01T06:00'],
    ['@daily', '2026-02-28T00:00:00', '2026-03-01T00:00'],
    ['@midnight', '2024-02-28T00:00:00', '2024-02-29T00:00'],
    ['@weekly', '2026-01-01T00:00:00', '2026-01-04T00:00'],
    ['@monthly', '2026-12-01T00:00:00', '2027-01-01T00:00'],
    ['@YEARLY', '2026-01-01T00:00:00', '2027-01-01T00:00'],
    ['@annually', '2026-06-01T00:00:00', '2027-01-01T00:00'],
    ['  0   0  *  *  *  ', '2026-01-01T00:00:00', '2026-01-02T00:00'],
    ['0 0 1-7 jan *', '2026-01-07T00:00:00', '2027-01-01T00:00'],
    ['30 4 1,15 * *', '2026-01-15T04:30:00', '2026-02-01T04:30'],
    ['0 22 * * 1-5', '2026-01-30T22:00:00', '2026-02-02T22:00'],
    ['23 0-23/2 * * *', '2026-01-01T22:23:00', '2026-01-02T00:23'],
    ['5 4 * * sun', '1969-12-31T00:00:00', '1970-01-04T04:05'],
];
for (const [expression, after, expected] of table) {
    test(`${expression} after ${after}`, () => assert.equal(next(expression, after), expected));
}

test('each time found is meant, and none before it is', () => {
    const meant = (schedule, time) => {
        const date = new Date(time);
        const [minute, hour, day, month, weekday] = schedule.sets;
        const days = [day[date.getUTCDate()], weekday[date.getUTCDay()]];
        return minute[date.getUTCMinutes()] && hour[date.getUTCHours()] && month[date.getUTCMonth() + 1] &&
            (schedule.anyDay || schedule.anyWeekday ? days[0] && days[1] : days[0] || days[1]);
    };
    for (const expression of ['7-59/13 */5 * * *', '0 3 28-31 * mon', '15 10 */3 2,3 *', '*/50 23 1 * 6', '1 1 * * 2-4']) {
        const schedule = cron.parse(expression);
        let time = Date.UTC(2024, 1, 26);
        for (let i = 0; i < 40; i++) {
            const found = cron.nextTime(schedule, time);
            for (let t = time + 60000; t < found && t < time + 3 * 86400000; t += 60000) assert.ok(!meant(schedule, t), `${expression} ${iso(t)}`);
            assert.ok(meant(schedule, found), `${expression} ${iso(found)}`);
            time = found;
        }
    }
});

const bad = [
    ['', /0 fields, not 5/], ['* * * *', /4 fields/], ['* * * * * *', /6 fields/], ['60 * * * *', /minute: 60 is not in 0 to 59/], ['* 24 * * *', /hour: 24 is not in 0 to 23/],
    ['* * 0 * *', /day of month: 0 is not in 1 to 31/], ['* * 32 * *', /day of month: 32/], ['* * * 13 *', /month: 13 is not in 1 to 12/], ['* * * 0 *', /month: 0/],
    ['* * * * 8', /day of week: 8 is not in 0 to 7/], ['* * * foo *', /month: 'foo' is not a number or a name/], ['* * * * foo', /day of week: 'foo'/], ['a * * * *', /minute: 'a' is not a number$/],
    ['5-1 * * * *', /minute: the range 5-1 ends before it begins/], ['*/0 * * * *', /minute: the step '0'/], ['*/x * * * *', /minute: the step 'x'/], ['*/ * * * *', /minute: the step ''/],
    ['1, * * * *', /minute: an element of the list is empty/], [', * * * *', /minute: an element/], ['1- * * * *', /minute: '' is not a number/], ['-1 * * * *', /minute: '' is not/],
    ['1.5 * * * *', /minute: '1.5'/], ['* * L * *', /day of month: 'l'/], ['* * * * 5#2', /day of week: '5#2'/], ['0 0 30 2 *', /there is no such day/], ['0 0 31 4,6,9,11 *', /there is no such day/],
    ['@reboot', /nicknames are @hourly/], ['@', /nicknames/], ['99999 * * * *', /minute: '99999' is not a number/], ['1e1 * * * *', /minute: '1e1'/], ['* * * mon *', /month: 'mon'/], ['*-5 * * * *', /minute: '\*'/],
    [undefined, /1 fields/], [null, /1 fields/],
];
for (const [expression, message] of bad) {
    test(`refused: ${expression}`, () => {
        assert.throws(() => cron.parse(expression), (error) => error.name === 'TypeError' && message.test(error.message) && error.message.startsWith('The cron expression '));
    });
}
