'use strict';
// @ts-check
// node:path/posix
return internal.load('path');
