"""Spans of every format as one form that can be compared field by field, read by code of its own: what the formats' documents say, and docs/specs/formats.md where
they leave something open. Values are (type, value), so that 1, 1.0 and True differ; times are nanoseconds, ids hex."""

import base64
import copy
import json
import re

ZIPKIN_KINDS = {"SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
RESOURCE = re.compile(r"(service|telemetry|host|process|k8s|container|cloud|deployment|os)\.")
PEER = {
    "peer.service", "server.address", "net.peer.name", "network.peer.address", "server.socket.domain", "server.socket.address", "net.sock.peer.name",
    "net.sock.peer.addr", "peer.hostname", "peer.address", "db.name",
}  # fmt: skip
COUNTS = ["otel.dropped_attributes_count", "otel.dropped_events_count", "otel.dropped_links_count"]


def empty():
    return dict(
        trace_id="", span_id="", parent_id="", name="", kind=0, start=0, end=0, attributes={}, events=[], links=[], status=0, message="", trace_state="", flags=0,
        dropped=[0, 0, 0], resource={}, resource_dropped=0, resource_schema="", scope=["", ""], scope_attributes={}, scope_dropped=0, scope_schema="",
    )  # fmt: skip


def by_id(spans):
    spans = list(spans)
    found = {(span["trace_id"], span["span_id"]): span for span in spans}
    assert len(found) == len(spans), "a span came twice"
    return found


# -- OTLP


def value_of(value):
    kind = value.WhichOneof("value")
    if kind is None:
        return ("empty", None)
    if kind == "array_value":
        return ("array", [value_of(element) for element in value.array_value.values])
    if kind == "kvlist_value":
        return ("map", attributes_of(value.kvlist_value.values))
    return (kind.removesuffix("_value"), getattr(value, kind))


def attributes_of(pairs):
    return {pair.key: value_of(pair.value) for pair in pairs}


def of_otlp(request):
    for group in request.resource_spans:
        for scoped in group.scope_spans:
            for span in scoped.spans:
                yield empty() | dict(
                    trace_id=span.trace_id.hex(), span_id=span.span_id.hex(), parent_id=span.parent_span_id.hex(), name=span.name, kind=span.kind,
                    start=span.start_time_unix_nano, end=span.end_time_unix_nano, attributes=attributes_of(span.attributes),
                    events=[(e.time_unix_nano, e.name, attributes_of(e.attributes), e.dropped_attributes_count) for e in span.events],
                    links=[
                        (l.trace_id.hex(), l.span_id.hex(), l.trace_state, l.flags, attributes_of(l.attributes), l.dropped_attributes_count) for l in span.links
                    ],
                    status=span.status.code, message=span.status.message, trace_state=span.trace_state, flags=span.flags,
                    dropped=[span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count],
                    resource=attributes_of(group.resource.attributes), resource_dropped=group.resource.dropped_attributes_count, resource_schema=group.schema_url,
                    scope=[scoped.scope.name, scoped.scope.version], scope_attributes=attributes_of(scoped.scope.attributes),
                    scope_dropped=scoped.scope.dropped_attributes_count, scope_schema=scoped.schema_url,
                )  # fmt: skip


# -- Values as text and as JSON


def plain(value):
    kind, value = value
    if kind == "array":
        return [plain(element) for element in value]
    if kind == "map":
        return {key: plain(element) for key, element in value.items()}
    if kind == "bytes":
        return base64.b64encode(value).decode()
    return value


def text(value):
    kind, content = value
    if kind == "string":
        return content
    if kind == "empty":
        return ""
    if kind == "bytes":
        return plain(value)
    if kind == "double" and content == int(content) and abs(content) < 1e15:
        return f"{content:.1f}"
    return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False)


def texts(attributes):
    return {key: ("string", text(value)) for key, value in attributes.items()}


def of_json(value):
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list):
        return ("array", [of_json(element) for element in value])
    if isinstance(value, dict):
        return ("map", {key: of_json(element) for key, element in value.items()})
    return {int: "int", float: "double", str: "string", type(None): "empty"}[type(value)], value


def json_types(attributes):
    """Bytes become text; a double without a fraction stays one."""
    return {key: of_json(plain(value)) for key, value in attributes.items()}


# -- What Zipkin and Jaeger have in common


def take_common(span, tags):
    """Tags, by key, that are fields in OTLP."""
    status = text(tags.pop("otel.status_code", ("string", "")))
    span["status"] = {"OK": 1, "ERROR": 2}.get(status, 0)
    span["dropped"] = [int(text(tags.pop(name, ("string", "0")))) for name in COUNTS]
    span["trace_state"] = text(tags.pop("w3c.tracestate", ("string", "")))
    for name in ("name", "version"):
        library = tags.pop(f"otel.library.{name}", ("string", ""))
        span["scope"][name == "version"] = text(tags.pop(f"otel.scope.{name}", library))


# -- Zipkin


def of_zipkin(source):
    span = empty()
    span["trace_id"] = source["traceId"].rjust(32, "0")
    span["span_id"], span["parent_id"] = source["id"], source.get("parentId", "")
    span["name"], span["kind"] = source.get("name", ""), ZIPKIN_KINDS.get(source.get("kind"), 0)
    span["start"] = source["timestamp"] * 1_000
    span["end"] = span["start"] + source["duration"] * 1_000
    span["flags"] = 1
    tags = {key: ("string", value) for key, value in source.get("tags", {}).items()}
    take_common(span, tags)
    if "error" in tags and text(tags["error"]) != "false":
        message = text(tags.pop("error"))
        span["status"], span["message"] = 2, "" if message == "true" else message
    while f"otlp.link.{len(span['links'])}" in tags:
        trace_id, span_id, state, rest = text(tags.pop(f"otlp.link.{len(span['links'])}")).split("|", 3)
        attributes, dropped = rest.rsplit("|", 1)
        span["links"].append((trace_id, span_id, state, 0, of_json(json.loads(attributes))[1], int(dropped)))
    for annotation in source.get("annotations", []):
        name, attributes, dropped = annotation["value"], {}, 0
        if name.startswith('"'):
            ((name, attributes),) = json.loads("{" + name + "}").items()
            dropped = attributes.pop("otel.dropped_attributes_count", 0)
            attributes = of_json(attributes)[1]
        span["events"].append((annotation["timestamp"] * 1_000, name, attributes, dropped))
    local = source.get("localEndpoint", {})
    span["resource"] = {"service.name": ("string", local["serviceName"])}
    if "ipv4" in local or "ipv6" in local:
        span["resource"]["network.local.address"] = ("string", local.get("ipv4") or local["ipv6"])
    if local.get("port"):
        span["resource"]["network.local.port"] = ("int", local["port"])
    remote = source.get("remoteEndpoint", {})
    if not PEER & tags.keys():
        if "serviceName" in remote:
            tags["peer.service"] = ("string", remote["serviceName"])
        if "ipv4" in remote or "ipv6" in remote:
            tags["network.peer.address"] = ("string", remote.get("ipv4") or remote["ipv6"])
        if "port" in remote:
            tags["network.peer.port"] = ("int", remote["port"])
    for name in ("debug", "shared"):
        if source.get(name):
            tags[f"zipkin.{name}"] = ("bool", True)
    for key, value in tags.items():
        (span["resource"] if RESOURCE.match(key) else span["attributes"])[key] = value
    return span


# -- Jaeger


def tag_of(tag):
    value = [tag.vStr, tag.vDouble, tag.vBool, tag.vLong, tag.vBinary][tag.vType]
    kind = ["string", "double", "bool", "int", "bytes"][tag.vType]
    if kind == "string":
        value.encode()  # is UTF-8
    return tag.key, (kind, value.encode("utf-8", "surrogateescape") if kind == "bytes" else value)


def tags_of(tags):
    return dict(tag_of(tag) for tag in tags or [])


def unsigned(number):
    return f"{number & (1 << 64) - 1:016x}"


def of_jaeger(batch):
    for source in batch.spans:
        yield of_jaeger_span(source, batch.process)


def of_jaeger_span(source, process):
    span = empty()
    span["trace_id"], span["span_id"] = unsigned(source.traceIdHigh) + unsigned(source.traceIdLow), unsigned(source.spanId)
    span["parent_id"] = unsigned(source.parentSpanId) if source.parentSpanId else ""
    span["name"] = source.operationName
    span["start"], span["flags"] = source.startTime * 1_000, source.flags & 1
    span["end"] = span["start"] + source.duration * 1_000
    tags = tags_of(source.tags)
    take_common(span, tags)
    kinds = {"server": 2, "client": 3, "producer": 4, "consumer": 5}
    span["kind"] = kinds.get(text(tags.pop("span.kind", ("string", ""))), 0)
    span["message"] = text(tags.pop("otel.status_description", ("string", "")))
    if tags.get("error") == ("bool", True):
        del tags["error"]
        span["status"] = 2
    links = {}
    for reference in source.references or []:
        trace_id = unsigned(reference.traceIdHigh) + unsigned(reference.traceIdLow)
        assert reference.refType == 1, "no exporter of ours writes CHILD_OF"
        links[trace_id, unsigned(reference.spanId)] = (trace_id, unsigned(reference.spanId), "", 0, {}, 0)
    for log in source.logs or []:
        fields = tags_of(log.fields)
        name = text(fields.pop("event", ("string", "")))
        at = tuple(text(fields.get(key, ("string", ""))) for key in ("trace_id", "span_id"))
        if name == "link" and at in links:
            del fields["trace_id"], fields["span_id"]
            state = text(fields.pop("w3c.tracestate", ("string", "")))
            dropped = fields.pop(COUNTS[0], ("int", 0))[1]
            links[at] = (*at, state, 0, fields, dropped)
        else:
            dropped = fields.pop("otel.event.dropped_attributes_count", ("int", 0))[1]
            span["events"].append((log.timestamp * 1_000, name, fields, dropped))
    span["links"] = list(links.values())
    if source.flags & 2:
        tags["jaeger.debug"] = ("bool", True)
    span["attributes"] = tags
    span["resource"] = tags_of(process.tags) | {"service.name": ("string", process.serviceName)}
    return span


# -- What Zipkin and Jaeger cannot carry


def _map_events(change):
    def apply(span):
        span["events"] = [(time, name, change(attributes), dropped) for time, name, attributes, dropped in span["events"]]
        span["links"] = [(*link[:4], change(link[4]), link[5]) for link in span["links"]]

    return apply


def _set(**fields):
    return lambda span: span.update(copy.deepcopy(fields))


def _zipkin_times(span):
    duration = max(1_000, (span["end"] - span["start"]) // 1_000 * 1_000)
    span["start"] -= span["start"] % 1_000
    span["end"] = span["start"] + duration
    span["events"] = [(time - time % 1_000, *rest) for time, *rest in span["events"]]


def _jaeger_times(span):
    duration = (span["end"] - span["start"]) // 1_000 * 1_000
    span["start"] -= span["start"] % 1_000
    span["end"] = span["start"] + duration
    span["events"] = [(time - time % 1_000, *rest) for time, *rest in span["events"]]


def _zipkin_resource(span):
    resource = texts(span["resource"])
    for key, value in resource.items():
        if not RESOURCE.match(key):
            span["attributes"].setdefault(key, value)
    span["resource"] = {key: value for key, value in resource.items() if RESOURCE.match(key)}


def _jaeger_values(attributes):
    return {key: ("string", text(value)) if value[0] in ("array", "map", "empty") else value for key, value in attributes.items()}


def _attributes(change):
    return lambda span: span.update(attributes=change(span["attributes"]))


def _scope_attributes(change):
    def apply(span):
        for key, value in change(span["scope_attributes"]).items():
            span["attributes"].setdefault(key, value)
        span["scope_attributes"] = {}

    return apply


def _message(span):
    if span["status"] != 2:
        span["message"] = ""


def _event_name(span):
    span["events"] = [
        (time, text(attributes["event"]) if "event" in attributes else name, {key: value for key, value in attributes.items() if key != "event"}, dropped)
        for time, name, attributes, dropped in span["events"]
    ]


def nothing(_):
    pass


# Each row: what it is about; of Zipkin and of Jaeger what docs/specs/formats.md says, and what it does to a span. In this order.
LOSSES = [
    ("times", ("µs; a duration of at least 1 µs", _zipkin_times), ("µs", _jaeger_times)),
    ("types of attributes", ("text only", _attributes(texts)), ("arrays, maps and empty values become text", _attributes(_jaeger_values))),
    ("attributes of events and links", ("types of JSON: bytes become text", _map_events(json_types)), ("as attributes", _map_events(_jaeger_values))),
    ("an event's attribute `event`", ("kept", nothing), ("becomes its name", _event_name)),
    ("attributes of the scope", ("become the span's, as text", _scope_attributes(texts)), ("become the span's", _scope_attributes(_jaeger_values))),
    ("attributes of the resource", ("as text; those outside of the namespaces above become the span's", _zipkin_resource), ("as attributes", lambda span: span.update(resource=_jaeger_values(span["resource"])))),
    ("dropped count and schema URL of the resource", ("lost", _set(resource_dropped=0, resource_schema="")), ("lost", _set(resource_dropped=0, resource_schema=""))),
    ("dropped count and schema URL of the scope", ("lost", _set(scope_dropped=0, scope_schema="")), ("lost", _set(scope_dropped=0, scope_schema=""))),
    ("flags", ("always sampled", _set(flags=1)), ("only sampled", lambda span: span.update(flags=span["flags"] & 1))),
    ("flags of links", ("lost", lambda span: span.update(links=[(*link[:3], 0, *link[4:]) for link in span["links"]])), ("lost", lambda span: span.update(links=[(*link[:3], 0, *link[4:]) for link in span["links"]]))),
    ("kind internal", ("unspecified", lambda span: span.update(kind=span["kind"] if span["kind"] > 1 else 0)), ("unspecified", lambda span: span.update(kind=span["kind"] if span["kind"] > 1 else 0))),
    ("message of the status", ("only of an error", _message), ("only of an error", _message)),
]  # fmt: skip


def carried(span, format, *, without=None):
    """What arrives of a span through a format, by the table; `without` a row of it."""
    span = copy.deepcopy(span)
    if format in ("zipkin", "jaeger"):
        for about, *formats in LOSSES:
            if about != without:
                formats[format == "jaeger"][1](span)
    return span
