// Deno's tracer is what its own build of OpenTelemetry registers with npm:@opentelemetry/api; taken directly, the npm registry is not needed.
import { measure } from './measure.js';

await measure(Deno.telemetry.tracerProvider.getTracer('span-benchmark'), Deno.args);
