// An error that ends the run.
function fail() {
	throw Object.assign(new TypeError('outer', { cause: new RangeError('inner') }), { code: 'E_TEST', detail: { a: [1, 2] } });
}
setTimeout(() => console.log('never'), 1000);
fail();
