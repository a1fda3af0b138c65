'use strict';
// @ts-check
// node:assert/strict
const { strict } = internal.load('assert');
return { ...strict, default: strict };
