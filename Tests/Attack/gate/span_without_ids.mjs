// attack: refusals within spans whose ids the program has taken away, so that their records are good for nothing
// policy| modules: ["@opentelemetry/api", "./**"]
// expect: held
// expect-violation: code
// expect-violation: worker
import { context, trace } from '@opentelemetry/api';
function within(change, act) {
    const span = trace.getTracer('attack').startSpan('a');
    change(span);
    try { context.with(trace.setSpan(context.active(), span), act); } catch { return; }
    console.log('ESCAPED');
}
within((span) => { span._trace = { t0: 0, t1: 0, t2: 0, t3: 0 }; span._s0 = span._s1 = 0; }, () => eval('1'));
within((span) => { span._trace = null; span._step = null; span._events = 5; }, () => new Worker('data:text/javascript,1'));
console.log('held');
