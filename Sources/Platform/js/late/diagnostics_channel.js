'use strict';
// @ts-check
// node:diagnostics_channel: https://nodejs.org/api/diagnostics_channel.html

const {
    ArrayPrototypeIndexOf, ArrayPrototypePush, ArrayPrototypeSlice, ArrayPrototypeSplice, FunctionPrototypeSymbolHasInstance, Promise,
    PromisePrototypeThen, PromiseReject, PromiseResolve, ReflectApply, SafeMap,
} = primordials;
const { invalidType, requireFunction, withDefault } = internal.load('node_errors');

/** Name → channel. Kept for the life of the program: names are its own, and few. */
const channels = new SafeMap();

/** What a subscriber throws is an uncaught error, and stops nobody. */
function call(run) {
    try {
        run();
    } catch (error) {
        internal.timers.enqueue(() => { throw error; }, []);
    }
}

class Channel {
    #subscribers = [];
    #stores = []; // [AsyncLocalStorage, transform]

    constructor(name) { this.name = name; }

    get hasSubscribers() { return this.#subscribers.length > 0 || this.#stores.length > 0; }

    subscribe(subscription) {
        requireFunction(subscription, 'subscription');
        this.#subscribers = ArrayPrototypeSlice(this.#subscribers); // a list that is published to is not changed
        ArrayPrototypePush(this.#subscribers, subscription);
    }

    unsubscribe(subscription) {
        const at = ArrayPrototypeIndexOf(this.#subscribers, subscription);
        if (at < 0) return false;
        this.#subscribers = ArrayPrototypeSlice(this.#subscribers);
        ArrayPrototypeSplice(this.#subscribers, at, 1);
        return true;
    }

    publish(data) {
        const list = this.#subscribers;
        for (let i = 0; i < list.length; i++) call(() => { ReflectApply(list[i], undefined, [data, this.name]); });
    }

    bindStore(store, transform) {
        for (let i = 0; i < this.#stores.length; i++) {
            if (this.#stores[i][0] === store) {
                this.#stores[i][1] = transform;
                return;
            }
        }
        ArrayPrototypePush(this.#stores, [store, transform]);
    }

    unbindStore(store) {
        for (let i = 0; i < this.#stores.length; i++) {
            if (this.#stores[i][0] !== store) continue;
            ArrayPrototypeSplice(this.#stores, i, 1);
            return true;
        }
        return false;
    }

    runStores(data, fn, thisArg, ...args) {
        let run = () => {
            this.publish(data);
            return ReflectApply(fn, thisArg, args);
        };
        for (let i = 0; i < this.#stores.length; i++) {
            const store = this.#stores[i][0], transform = this.#stores[i][1], next = run;
            run = () => {
                let context = data;
                try {
                    if (transform !== undefined) context = transform(data);
                } catch (error) {
                    internal.timers.enqueue(() => { throw error; }, []);
                    return next();
                }
                return store.run(context, next);
            };
        }
        return run();
    }
}

function channel(name) {
    if (typeof name !== 'string' && typeof name !== 'symbol') throw invalidType('channel', 'one of type string or symbol', name);
    let found = channels.get(name);
    if (found === undefined) {
        found = new Channel(name);
        channels.set(name, found);
    }
    return found;
}

const parts = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];

class TracingChannel {
    constructor(nameOrChannels) {
        for (let i = 0; i < parts.length; i++) {
            const name = parts[i];
            if (typeof nameOrChannels === 'string') {
                this[name] = channel(`tracing:${nameOrChannels}:${name}`);
            } else if (nameOrChannels !== null && typeof nameOrChannels === 'object') {
                if (!FunctionPrototypeSymbolHasInstance(Channel, nameOrChannels[name])) throw invalidType(`nameOrChannels.${name}`, 'an instance of Channel', nameOrChannels[name]);
                this[name] = nameOrChannels[name];
            } else {
                throw invalidType('nameOrChannels', 'of type string or an instance of TracingChannel or Object', nameOrChannels);
            }
        }
    }

    get hasSubscribers() {
        for (let i = 0; i < parts.length; i++) if (this[parts[i]].hasSubscribers) return true;
        return false;
    }

    subscribe(handlers) {
        for (let i = 0; i < parts.length; i++) if (handlers[parts[i]]) this[parts[i]].subscribe(handlers[parts[i]]);
    }

    unsubscribe(handlers) {
        let all = true;
        for (let i = 0; i < parts.length; i++) if (handlers[parts[i]] && !this[parts[i]].unsubscribe(handlers[parts[i]])) all = false;
        return all;
    }

    traceSync(fn, context = {}, thisArg = undefined, ...args) {
        if (!this.hasSubscribers) return ReflectApply(fn, thisArg, args);
        return this.start.runStores(context, () => {
            try {
                const result = ReflectApply(fn, thisArg, args);
                context.result = result;
                return result;
            } catch (error) {
                context.error = error;
                this.error.publish(context);
                throw error;
            } finally {
                this.end.publish(context);
            }
        });
    }

    tracePromise(fn, context = {}, thisArg = undefined, ...args) {
        if (!this.hasSubscribers) return ReflectApply(fn, thisArg, args);
        return this.start.runStores(context, () => {
            try {
                let promise = ReflectApply(fn, thisArg, args);
                if (!FunctionPrototypeSymbolHasInstance(Promise, promise)) promise = PromiseResolve(promise);
                return PromisePrototypeThen(promise, (result) => {
                    context.result = result;
                    this.asyncStart.publish(context);
                    this.asyncEnd.publish(context);
                    return result;
                }, (error) => {
                    context.error = error;
                    this.error.publish(context);
                    this.asyncStart.publish(context);
                    this.asyncEnd.publish(context);
                    return PromiseReject(error);
                });
            } catch (error) {
                context.error = error;
                this.error.publish(context);
                throw error;
            } finally {
                this.end.publish(context);
            }
        });
    }

    traceCallback(fn, position = -1, context = {}, thisArg = undefined, ...args) {
        if (!this.hasSubscribers) return ReflectApply(fn, thisArg, args);
        const at = position < 0 ? args.length + position : position;
        const callback = args[at];
        requireFunction(callback, 'callback');
        const { asyncStart, asyncEnd, error: failed } = this;
        args[at] = function (...results) {
            if (results[0]) {
                context.error = results[0];
                failed.publish(context);
            } else {
                context.result = results[1];
            }
            return asyncStart.runStores(context, () => {
                try {
                    return ReflectApply(callback, this, results);
                } finally {
                    asyncEnd.publish(context);
                }
            });
        };
        return this.start.runStores(context, () => {
            try {
                return ReflectApply(fn, thisArg, args);
            } catch (error) {
                context.error = error;
                failed.publish(context);
                throw error;
            } finally {
                this.end.publish(context);
            }
        });
    }
}

return withDefault({
    channel,
    hasSubscribers: (name) => channels.get(name)?.hasSubscribers ?? false,
    subscribe(name, subscription) { channel(name).subscribe(subscription); },
    tracingChannel: (nameOrChannels) => new TracingChannel(nameOrChannels),
    unsubscribe: (name, subscription) => channel(name).unsubscribe(subscription),
    Channel,
});
