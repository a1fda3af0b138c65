// The report of a month. Compiled to dist/report.js by build.mjs; errors must point to the lines of this file.

interface Month {
    readonly year: number;
    readonly month: number;
}

const figures: ReadonlyMap<string, number> = new Map([['2026-10', 118], ['2026-11', 97]]);

function parse(text: string): Month {
    const [year, month] = text.split('-').map(Number);
    if (!Number.isInteger(year) || !(month >= 1 && month <= 12)) throw new RangeError(`"${text}" is no month`);
    return { year, month };
}

function lookUp({ year, month }: Month): number {
    const key: string = `${year}-${String(month).padStart(2, '0')}`;
    const figure = figures.get(key);
    if (figure === undefined) throw new ReferenceError(`no figures of ${key}`);
    return figure;
}

/** A bug on purpose: nobody turns these errors into an answer, so the request fails. */
export function monthlyReport(text: string): { month: string; notes: number } {
    try {
        return { month: text, notes: lookUp(parse(text)) };
    } catch (error) {
        throw new Error(`the report of ${text} cannot be made`, { cause: error });
    }
}
