'use strict';
// @ts-check
// node:path/win32
const { withDefault } = internal.load('node_errors');
return withDefault(internal.load('path').win32);
