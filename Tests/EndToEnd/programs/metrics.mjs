// A shop that counts its orders itself; what else there is of it the agent counts.
import { metrics } from '@opentelemetry/api';

const meter = metrics.getMeter('shop', '1.0');
const orders = meter.createCounter('shop.orders', { unit: '{order}', description: 'Orders that were taken.' });
const sizes = meter.createHistogram('shop.order.size', { unit: 'By', description: 'Sizes of orders.', advice: { explicitBucketBoundaries: [10, 100] } });

export default {
    async fetch(request) {
        const path = new URL(request.url).pathname;
        if (path === '/slow') await new Promise((resolve) => setTimeout(resolve, 35));
        if (path === '/bad') return new Response('no', { status: 500 });
        orders.add(1, { kind: path.slice(1) });
        sizes.record(50);
        return new Response('taken');
    },
};
