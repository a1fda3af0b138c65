// attack: a program that ends by what it was refused ends with the code of a refusal
// expect-violation: network
// expect-exit: 3
await fetch('$TARGET/');
