// The OpenTelemetry JS SDK on Node.js. NODE_OTEL_MODULES is a folder with a node_modules that has, from npm:
// @opentelemetry/api, @opentelemetry/sdk-trace-node, @opentelemetry/exporter-trace-otlp-proto.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { measure } from './measure.js';

const require = createRequire(join(process.env.NODE_OTEL_MODULES, 'package.json'));
const { trace } = require('@opentelemetry/api');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');

const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
provider.register();
await measure(trace.getTracer('span-benchmark'), process.argv.slice(2));
await provider.shutdown();
