// What the differential programs share. Each runs on Sidelight, Deno and Node alike:  NAME.mjs SEED COUNT
// and prints a line of JSON a case: what was done, and what came of it. Tests/EndToEnd/test_differential.py compares the lines.
import process from 'node:process';
import { generator } from '../generate.mjs';

const [seed, count] = process.argv.slice(2).map(Number);

/** What a call gives or throws, by the names of its errors: their words are everyone's own. */
export function outcome(run) {
    try {
        return run();
    } catch (error) {
        return `throws ${error.name}`;
    }
}

export async function outcomeOf(run) {
    try {
        return await run();
    } catch (error) {
        return `throws ${error?.name ?? error}`;
    }
}

/** Every case has a generator of its own, so that one can be looked at alone. @param {(random) => [unknown, unknown] | Promise<[unknown, unknown]>} once */
export async function run(once) {
    const lines = [];
    for (let i = 0; i < count; i++) lines.push(JSON.stringify(await once(generator(Math.imul(seed + i, 2654435761)))));
    console.log(lines.join('\n'));
}

export function times(random, most, make) {
    return Array.from({ length: random.below(most + 1) }, make);
}
