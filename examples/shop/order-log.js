// Log lines that know which order they belong to, however deep in asynchronous code they are written.
import { AsyncLocalStorage } from 'node:async_hooks';

const currentOrder = new AsyncLocalStorage();

export function withOrder(id, work) {
    return currentOrder.run(id, work);
}

export function log(message) {
    console.log(`[${currentOrder.getStore() ?? 'no order'}] ${message}`);
}
