import { trace } from '@opentelemetry/api';

const tracer = trace.getTracer('logs');
console.log('outside');
tracer.startActiveSpan('logging', (span) => {
    console.debug('a debug line');
    console.info('an info line', { nested: [1, 'two'] });
    console.log('a %s line with %d', 'formatted', 42);
    console.warn('a warning');
    console.error('an error line');
    span.end();
});
