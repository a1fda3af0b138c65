// Says what it got of a stream, or gives one; a message { do: … } says which.
self.onmessage = async ({ data }) => {
    if (data instanceof ReadableStream || data instanceof WritableStream || data instanceof TransformStream) {
        postMessage(data, [data]);
        return;
    }
    switch (data.do) {
        case 'read': {
            const seen = [];
            try {
                for await (const chunk of data.stream) seen.push(chunk);
                postMessage(['end', seen]);
            } catch (error) {
                postMessage([error?.name ?? error, seen]);
            }
            return;
        }
        case 'write': {
            const writer = data.stream.getWriter();
            for (let i = 0; i < data.count; i++) await writer.write(i);
            await writer.close();
            postMessage('written');
            return;
        }
        case 'give': {
            // Nothing else keeps this isolate: the stream does, until it is read.
            self.onmessage = null;
            let count = 0;
            const stream = new ReadableStream({ pull(controller) { if (++count > data.count) controller.close(); else controller.enqueue(count); } });
            postMessage(stream, [stream]);
            return;
        }
        case 'wait': {
            self.onmessage = null;
            const reader = data.stream.getReader();
            postMessage((await reader.read()).value);
            return;
        }
        default: throw new Error('what?');
    }
};
