postMessage(eval('1 + 1'));
