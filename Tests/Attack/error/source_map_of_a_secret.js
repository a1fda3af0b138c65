// attack: a sourceMappingURL names a file outside of the folder, whose text would show in a stack
// expect: held
const error = new Error('x');
console.error(error.stack);
console.log('held');
//# sourceMappingURL=$SECRET
