// What a policy closes in JavaScript: numbers that repeat are told of once, and an audit leaves shared memory where it is and tells of its use.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';
import { boot } from './harness.mjs';
import { makeRing } from './serve.mjs';

function start(policy) {
    const told = [];
    const realm = boot({ ring: makeRing() });
    realm.ops.noteAccess = (permission) => { told.push(permission); };
    realm.internal.policy.start({ closed: ['random', 'clock'], watched: [], ...policy });
    return { told, run: (source) => vm.runInContext(source, realm.context) };
}

test('Math.random repeats where there is no randomness, and is told once', () => {
    const [first, second] = [0, 1].map(() => start({ isCoarse: true, isAudited: false }));
    assert.equal(first.run('[Math.random(), Math.random()].join()'), second.run('[Math.random(), Math.random()].join()'));
    assert.deepEqual(first.told, ['random']);
    assert.equal(first.run('typeof SharedArrayBuffer'), 'undefined');
});

test('an audit gives random numbers and shared memory, and tells of both', () => {
    const [first, second] = [0, 1].map(() => start({ isCoarse: false, isAudited: true }));
    assert.deepEqual(first.told, []);
    assert.notEqual(first.run('[Math.random(), Math.random()].join()'), second.run('[Math.random(), Math.random()].join()'));
    assert.equal(first.run('new SharedArrayBuffer(8).byteLength'), 8);
    assert.deepEqual(first.told, ['random', 'clock']);
    assert.equal(first.run('new WebAssembly.Memory({ initial: 1, maximum: 1 }) instanceof WebAssembly.Memory'), true);
    assert.deepEqual(first.told, ['random', 'clock']);
    first.run('new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })');
    assert.deepEqual(first.told, ['random', 'clock', 'clock']);
});
