// A small shop that handles four orders at once: the example that `make demo` runs.
//
// It shows what Sidelight records: spans made with @opentelemetry/api, nested across await; the log lines of console.* with the span they
// were written in; module loading and WebAssembly compilation without any code; and errors whose stacks point into pricing.ts, the
// TypeScript source, not into the compiled pricing.js.
//
//   sidelight run examples/shop/main.js             one order of four cannot be priced; the program copes and succeeds
//   sidelight run examples/shop/main.js --crash     and then dies of an error that nobody catches
import { trace, SpanStatusCode } from '@opentelemetry/api';
import stock from './stock.json' assert { type: 'json' };
import { withOrder, log } from './order-log.js';
import { reserve } from './warehouse.js';
import { checksum } from './checksum.js';
import { priceOf, refund } from './dist/pricing.js';

const tracer = trace.getTracer('shop', '1.0.0');

const orders = [
    { id: 'A-1001', lines: [{ sku: 'lamp', quantity: 2 }, { sku: 'cable', quantity: 5 }] },
    { id: 'A-1002', lines: [{ sku: 'desk', quantity: 1 }], voucher: 'AUTUMN-15' },
    { id: 'A-1003', lines: [{ sku: 'lamp', quantity: 1 }], voucher: 'AUTUMN-FIFTEEN' },
    { id: 'A-1004', lines: [{ sku: 'chair', quantity: 4 }, { sku: 'desk', quantity: 2 }] },
];

// Returns the receipt, or undefined for an order that could not be priced.
function handle(order) {
    return withOrder(order.id, () =>
        tracer.startActiveSpan('order', { attributes: { 'order.id': order.id, 'order.lines': order.lines.length } }, async (span) => {
            try {
                const cents = tracer.startActiveSpan('price', (child) => {
                    try {
                        return priceOf(order, stock.prices);
                    } finally {
                        child.end();
                    }
                });
                span.addEvent('priced', { cents });
                await Promise.all(order.lines.map((line) => reserve(line)));
                const { receipt } = await import('./receipt.js');
                const text = receipt(order, cents);
                span.setAttribute('receipt.checksum', await checksum(text));
                log(`done, ${text}`);
                return text;
            } catch (error) {
                span.recordException(error);
                span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
                console.error(error);
                return undefined;
            } finally {
                span.end();
            }
        }));
}

await tracer.startActiveSpan('morning', async (span) => {
    const receipts = await Promise.all(orders.map(handle));
    const sold = receipts.filter((receipt) => receipt !== undefined).length;
    span.setAttributes({ 'orders.received': orders.length, 'orders.sold': sold });
    console.log(`${sold} of ${orders.length} orders sold`);
    span.end();
});

if (process.argv.includes('--crash')) {
    // Nobody catches what the timer's function throws, so the run ends here; the span is still open.
    tracer.startActiveSpan('refund', () => {
        setTimeout(() => refund({ id: 'A-1001', lines: [] }, 100), 10);
    });
}
