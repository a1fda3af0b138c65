// Notes, in the memory of this worker: each worker (--isolates) has its own, and a worker that dies takes them along.
import { Problem, step } from './router.js';

const notesMax = 1000;
const textMax = 10_000;
const notes = new Map();
let words = 0; // of all notes, counted after the answers

export function list(_, request) {
    const wanted = new URL(request.url).searchParams.get('with')?.toLowerCase() ?? '';
    const found = [...notes.values()].filter(({ text }) => text.toLowerCase().includes(wanted));
    return Response.json({ notes: found, words });
}

export async function create(_, request, env, ctx) {
    const text = await step('validate note', {}, () => textOf(request));
    const note = await step('store note', { 'note.length': text.length }, (span) => {
        const note = { id: newId(), text, made: new Date().toISOString() };
        if (notes.size >= notesMax) notes.delete(notes.keys().next().value);
        notes.set(note.id, note);
        span.setAttribute('note.id', note.id);
        console.log(`note ${note.id} stored, ${text.length} characters`);
        return note;
    });
    // Goes on when the answer is out; Sidelight does not end the worker before it is done.
    ctx.waitUntil(step('count words', { 'note.id': note.id }, () => countWords(note)));
    return Response.json(note, { status: 201, headers: { location: `/notes/${note.id}` } });
}

export function read({ id }) {
    return Response.json(noteOf(id));
}

export async function replace({ id }, request) {
    const note = noteOf(id);
    note.text = await step('validate note', {}, () => textOf(request));
    console.log(`note ${id} replaced`);
    return Response.json(note);
}

export function remove({ id }) {
    noteOf(id);
    notes.delete(id);
    console.log(`note ${id} removed`);
    return new Response(null, { status: 204 });
}

/** Asks the other service (tags.js) for a note's tags. The client span and the other's server span join this request's trace by themselves. */
export async function tags({ id }, request, env) {
    const { text } = noteOf(id);
    return Response.json({ id, tags: await tagsOf(text, env) });
}

export async function tagsOf(text, env) {
    const url = new URL('/tags', env.TAGS_URL ?? 'http://127.0.0.1:8081');
    return step('ask for tags', { 'note.length': text.length }, async () => {
        let answer;
        try {
            const response = await fetch(url, { method: 'POST', body: text, signal: AbortSignal.timeout(5000) });
            answer = { status: response.status, body: await response.json() };
        } catch (error) {
            throw new Problem(502, 'the service for tags cannot be reached', { cause: error });
        }
        if (answer.status !== 200) throw new Problem(502, `the service for tags answered ${answer.status}`);
        console.log(`${answer.body.tags.length} tags`);
        return answer.body.tags;
    });
}

/** For the schedule: forgets notes that are older than an hour. */
export function forgetOld() {
    const limit = new Date(Date.now() - 3_600_000).toISOString();
    let count = 0;
    for (const [id, note] of notes) {
        if (note.made < limit) count += Number(notes.delete(id));
    }
    return count;
}

function noteOf(id) {
    const note = notes.get(id);
    if (note === undefined) throw new Problem(404, `there is no note ${id}`);
    return note;
}

async function textOf(request) {
    let body;
    try {
        body = await request.json();
    } catch (error) {
        throw new Problem(400, `the body is not JSON: ${error.message}`);
    }
    const text = body?.text;
    if (typeof text !== 'string' || text.trim() === '') throw new Problem(422, 'a note needs a text: {"text": "…"}');
    if (text.length > textMax) throw new Problem(422, `a text has at most ${textMax} characters, this one has ${text.length}`);
    return text;
}

async function countWords({ text }) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    words += text.split(/\s+/).length;
    console.log(`${words} words in all`);
}

function newId() {
    return Math.floor(Math.random() * 2 ** 48).toString(36).padStart(10, '0');
}
