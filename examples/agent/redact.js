// A processor of one's own (docs/js-processors.md): leaves out health checks, shortens addresses, and takes card numbers out of logs.
export default {
    span(s) {
        if (s.name === 'GET /healthz') return false;
        const address = s.attributes['client.address'];
        if (typeof address === 'string') s.attributes['client.address'] = address.replace(/\.\d+$/, '.0');
        for (const event of s.events) delete event.attributes['exception.stacktrace'];
    },

    log(l) {
        if (typeof l.body === 'string') l.body = l.body.replace(/\b\d{16}\b/g, '***');
    },
};
