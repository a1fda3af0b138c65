// Takes goods off the shelf, which needs a while.
import { trace, SpanKind } from '@opentelemetry/api';
import { log } from './order-log.js';

const tracer = trace.getTracer('shop', '1.0.0');
const walkMilliseconds = { lamp: 12, cable: 4, desk: 25, chair: 18 };

export function reserve({ sku, quantity }) {
    const options = { kind: SpanKind.CLIENT, attributes: { sku, quantity, fragile: sku === 'lamp' } };
    return tracer.startActiveSpan('reserve', options, async (span) => {
        await new Promise((resolve) => setTimeout(resolve, walkMilliseconds[sku]));
        span.addEvent('found', { shelf: sku.length });
        log(`reserved ${quantity} × ${sku}`);
        span.end();
    });
}
