// The interfaces of the web platform that a server has, as their standards' IDL has them; for cases/idl.js and the table of what is there.
//
// One interface a line: `Name(length of the constructor) : Parent | members`; "!" instead of a length: no program can construct it.
// A member: `name` an attribute, `name*` one that can be set, `name(length)` an operation, `~name(length)` one that gives a promise, `+name(length)` a static
// operation, `NAME=1` a constant, `@pairs` an iterable of pairs, `@async` an async iterable, `.name` an own property of each instance.
export const interfaces = `
AbortController(0) | signal abort(0)
AbortSignal! : EventTarget | aborted reason onabort* throwIfAborted(0) +abort(0) +timeout(1) +any(1)
Blob(0) | size type slice(0) stream(0) ~text(0) ~arrayBuffer(0) ~bytes(0)
ByteLengthQueuingStrategy(1) | highWaterMark size
CountQueuingStrategy(1) | highWaterMark size
CloseEvent(1) : Event | wasClean code reason
CompressionStream(1) | readable writable
CustomEvent(1) : Event | detail initCustomEvent(1)
DecompressionStream(1) | readable writable
ErrorEvent(1) : Event | message filename lineno colno error
Event(1) | type target srcElement currentTarget eventPhase cancelBubble* bubbles cancelable returnValue* defaultPrevented composed timeStamp composedPath(0) stopPropagation(0) stopImmediatePropagation(0) preventDefault(0) initEvent(1) NONE=0 CAPTURING_PHASE=1 AT_TARGET=2 BUBBLING_PHASE=3
EventTarget(0) | addEventListener(2) removeEventListener(2) dispatchEvent(1)
File(2) : Blob | name lastModified
FormData(0) | append(2) delete(1) get(1) getAll(1) has(1) set(2) @pairs
Headers(0) | append(2) delete(1) get(1) getSetCookie(0) has(1) set(2) @pairs
MessageChannel(0) | port1 port2
MessageEvent(1) : Event | data origin lastEventId source ports initMessageEvent(1)
MessagePort! : EventTarget | postMessage(1) start(0) close(0) onmessage* onmessageerror*
BroadcastChannel(1) : EventTarget | name postMessage(1) close(0) onmessage* onmessageerror*
Performance! : EventTarget | timeOrigin now(0) toJSON(0) mark(1) measure(1) clearMarks(0) clearMeasures(0) getEntries(0) getEntriesByName(1) getEntriesByType(1)
PerformanceEntry! | name entryType startTime duration toJSON(0)
PerformanceMark(1) : PerformanceEntry | detail
PerformanceMeasure! : PerformanceEntry | detail
PerformanceObserver(1) | observe(0) disconnect(0) takeRecords(0)
PerformanceObserverEntryList! | getEntries(0) getEntriesByName(1) getEntriesByType(1)
PromiseRejectionEvent(2) : Event | promise reason
ReadableByteStreamController! | byobRequest desiredSize close(0) enqueue(1) error(0)
ReadableStream(0) | locked ~cancel(0) getReader(0) pipeThrough(1) ~pipeTo(1) tee(0) +from(1) @async
ReadableStreamBYOBReader(1) | closed ~cancel(0) ~read(1) releaseLock(0)
ReadableStreamBYOBRequest! | view respond(1) respondWithNewView(1)
ReadableStreamDefaultController! | desiredSize close(0) enqueue(0) error(0)
ReadableStreamDefaultReader(1) | closed ~cancel(0) ~read(0) releaseLock(0)
Request(1) | method url headers destination referrer referrerPolicy mode credentials cache redirect integrity keepalive signal duplex body bodyUsed clone(0) ~arrayBuffer(0) ~blob(0) ~bytes(0) ~formData(0) ~json(0) ~text(0)
Response(0) | type url redirected status ok statusText headers body bodyUsed clone(0) ~arrayBuffer(0) ~blob(0) ~bytes(0) ~formData(0) ~json(0) ~text(0) +error(0) +redirect(1) +json(1)
TextDecoder(0) | encoding fatal ignoreBOM decode(0)
TextDecoderStream(0) | encoding fatal ignoreBOM readable writable
TextEncoder(0) | encoding encode(0) encodeInto(2)
TextEncoderStream(0) | encoding readable writable
TransformStream(0) | readable writable
TransformStreamDefaultController! | desiredSize enqueue(0) error(0) terminate(0)
URL(1) | href* origin protocol* username* password* host* hostname* port* pathname* search* searchParams hash* toString(0) toJSON(0) +parse(1) +canParse(1)
URLPattern(0) | protocol username password hostname port pathname search hash hasRegExpGroups test(0) exec(0)
URLSearchParams(0) | size append(2) delete(1) get(1) getAll(1) has(1) set(2) sort(0) toString(0) @pairs
WebSocket(1) : EventTarget | url readyState bufferedAmount onopen* onerror* onclose* extensions protocol onmessage* binaryType* close(0) send(1) CONNECTING=0 OPEN=1 CLOSING=2 CLOSED=3
WritableStream(0) | locked ~abort(0) ~close(0) getWriter(0)
WritableStreamDefaultController! | signal error(0)
WritableStreamDefaultWriter(1) | closed desiredSize ready ~abort(0) ~close(0) releaseLock(0) ~write(0)
`;
