"""The other side of PeerTests.swift: decoders that others wrote, against a description of what was encoded.

    check.py make DIR     writes what Swift is to read: peer-metrics.pb, a request with what Swift has no values for, and every request
                          in OTLP's JSON form (otlp-*.json; -names: with the names of the .proto files, enumerations as names)
                          and spans as Zipkin's and Jaeger's clients send them (client-*)
    check.py check DIR    compares every encoding in DIR with DIR/description.json, field by field

Needs opentelemetry-proto, jaeger-client (for Jaeger's generated Thrift classes), thrift, six, py-zipkin, jsonschema: scripts/peers test.
"""

import base64
import json
import math
import pathlib
import struct
import sys

import jsonschema
from google.protobuf import json_format
from jaeger_client.thrift_gen.jaeger import ttypes
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from py_zipkin import Encoding, Kind
from py_zipkin.encoding import Span, create_endpoint, get_encoder
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TMessageType, TType
from thrift.transport.TTransport import TMemoryBuffer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "EndToEnd"))
import zipkin_schema  # noqa: E402

REQUESTS = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest}


# ---- Values in the description's form: [type, value], exact (64-bit integers and a double's bits as text) ----


def bits(number):
    return struct.pack(">d", number).hex()


def value_of(value):
    kind = value.WhichOneof("value")
    if kind is None:
        return ["empty", None]
    raw = getattr(value, kind)
    return {
        "string_value": lambda: ["string", raw],
        "bool_value": lambda: ["bool", raw],
        "int_value": lambda: ["int", str(raw)],
        "double_value": lambda: ["double", bits(raw)],
        "bytes_value": lambda: ["bytes", raw.hex()],
        "array_value": lambda: ["array", [value_of(element) for element in raw.values]],
        "kvlist_value": lambda: ["map", attributes_of(raw.values)],
    }[kind]()


def attributes_of(pairs):
    return [[pair.key, value_of(pair.value)] for pair in pairs]


# ---- OTLP messages in the description's form ----


def resource_of(group):
    resource = group.resource
    return {
        "attributes": attributes_of(resource.attributes),
        "dropped": resource.dropped_attributes_count,
        "schema": group.schema_url,
    }


def scope_of(group):
    scope = group.scope
    return {
        "name": scope.name,
        "version": scope.version,
        "attributes": attributes_of(scope.attributes),
        "dropped": scope.dropped_attributes_count,
        "schema": group.schema_url,
    }


def span_of(span):
    return {
        "traceID": span.trace_id.hex(),
        "spanID": span.span_id.hex(),
        "traceState": span.trace_state,
        "parentID": span.parent_span_id.hex(),
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind,
        "start": str(span.start_time_unix_nano),
        "end": str(span.end_time_unix_nano),
        "attributes": attributes_of(span.attributes),
        "dropped": [span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count],
        "events": [
            {
                "time": str(event.time_unix_nano),
                "name": event.name,
                "attributes": attributes_of(event.attributes),
                "dropped": event.dropped_attributes_count,
            }
            for event in span.events
        ],
        "links": [
            {
                "traceID": link.trace_id.hex(),
                "spanID": link.span_id.hex(),
                "traceState": link.trace_state,
                "flags": link.flags,
                "attributes": attributes_of(link.attributes),
                "dropped": link.dropped_attributes_count,
            }
            for link in span.links
        ],
        "status": [span.status.code, span.status.message],
    }


def log_of(log):
    return {
        "time": str(log.time_unix_nano),
        "observed": str(log.observed_time_unix_nano),
        "severity": [log.severity_number, log.severity_text],
        "body": value_of(log.body),
        "attributes": attributes_of(log.attributes),
        "dropped": log.dropped_attributes_count,
        "flags": log.flags,
        "traceID": log.trace_id.hex(),
        "spanID": log.span_id.hex(),
        "eventName": log.event_name,
    }


def metric_of(metric):
    kind = metric.WhichOneof("data")
    data = getattr(metric, kind)
    (point,) = data.data_points
    described = {
        "name": metric.name,
        "unit": metric.unit,
        "description": metric.description,
        "type": {"sum": "counter" if getattr(data, "is_monotonic", False) else "upDownCounter"}.get(kind, kind),
        "attributes": attributes_of(point.attributes),
        "start": str(point.start_time_unix_nano),
        "time": str(point.time_unix_nano),
    }
    if kind != "gauge":
        assert data.aggregation_temporality == 2, "not cumulative"
    if kind == "histogram":
        described |= {
            "value": bits(point.sum),
            "count": str(point.count),
            "min": bits(point.min),
            "max": bits(point.max),
            "bounds": [bits(bound) for bound in point.explicit_bounds],
            "buckets": [str(count) for count in point.bucket_counts],
        }
    else:
        is_integer = point.WhichOneof("value") == "as_int"
        described["value"] = str(point.as_int) if is_integer else bits(point.as_double)
    return described


def items_of(request):
    """Every item with its resource and scope."""
    for resource_group in request.ListFields()[0][1] if request.ListFields() else []:
        (scope_groups,) = [f for d, f in resource_group.ListFields() if d.name.startswith("scope_")]
        for scope_group in scope_groups:
            around = {"resource": resource_of(resource_group), "scope": scope_of(scope_group)}
            for described, messages in [
                (span_of, getattr(scope_group, "spans", ())),
                (log_of, getattr(scope_group, "log_records", ())),
                (metric_of, getattr(scope_group, "metrics", ())),
            ]:
                for message in messages:
                    yield around | {"item": described(message)}


def same(what, found, expected):
    """Compares lists without regard to order: grouping by resource and scope changes it."""
    found, expected = (sorted(json.dumps(e, sort_keys=True) for e in side) for side in (found, expected))
    assert len(found) == len(expected), f"{what}: {len(found)} items, {len(expected)} expected"
    for one, other in zip(found, expected):
        assert one == other, f"{what}:\n found    {one}\n expected {other}"


# ---- OTLP/JSON ----


def parse_otlp_json(text, message):
    """json_format wants base64 where OTLP/JSON has hex."""

    def to_base64(node):
        if isinstance(node, list):
            return [to_base64(element) for element in node]
        if not isinstance(node, dict):
            return node
        ids = {"traceId", "spanId", "parentSpanId"}
        return {
            key: base64.b64encode(bytes.fromhex(value)).decode() if key in ids else to_base64(value)
            for key, value in node.items()
        }

    return json_format.ParseDict(to_base64(json.loads(text)), message)


# ---- Zipkin and Jaeger, from the description by the rules of the specification ----

STATUS = {1: "OK", 2: "ERROR"}
KINDS = {2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}


def number_of(double):
    return struct.unpack(">d", bytes.fromhex(double))[0]


def number_text(number):
    return number if math.isfinite(number) else "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def plain(value):
    """As JSON would hold it inside an array or map."""
    kind, raw = value
    return {
        "empty": lambda: None,
        "string": lambda: raw,
        "bool": lambda: raw,
        "int": lambda: int(raw),
        "double": lambda: number_text(number_of(raw)),
        "bytes": lambda: base64.b64encode(bytes.fromhex(raw)).decode(),
        "array": lambda: [plain(element) for element in raw],
        "map": lambda: {key: plain(element) for key, element in raw},
    }[kind]()


def text_matches(value, text):
    kind, raw = value
    if kind in ("array", "map"):
        return json.loads(text) == plain(value)
    if kind == "double":
        number = number_text(number_of(raw))
        return text == number if isinstance(number, str) else bits(float(text)) == raw
    if kind == "bool":
        return text == ("true" if raw else "false")
    return text == {"empty": ""}.get(kind, str(plain(value)))


def service_name(resource):
    return dict(resource["attributes"]).get("service.name", ["string", "unknown_service"])[1]


def scope_tags(scope):
    tags = [["otel." + part + "." + field, ["string", scope[field]]]
            for field in ("name", "version") if scope[field] for part in ("scope", "library")]
    return tags + scope["attributes"]


def dropped_tags(span):
    names = ["otel.dropped_attributes_count", "otel.dropped_events_count", "otel.dropped_links_count"]
    return [[name, ["int", str(count)]] for name, count in zip(names, span["dropped"]) if count]


def zipkin_tags(entry):
    """In rising order of precedence."""
    span, resource = entry["item"], entry["resource"]
    tags = {key: value for key, value in resource["attributes"] if key != "service.name"}
    tags |= dict(reversed(scope_tags(entry["scope"])))
    for key, value in span["attributes"]:
        if not (key == "error" and value in (["bool", False], ["string", "false"])):
            tags[key] = value
    if span["traceState"]:
        tags["w3c.tracestate"] = ["string", span["traceState"]]
    tags |= dict(dropped_tags(span))
    code, message = span["status"]
    if code:
        tags["otel.status_code"] = ["string", STATUS[code]]
    if code == 2:
        tags["error"] = ["string", message]
    return tags


def check_zipkin(found, entry):
    span = entry["item"]
    start, end = int(span["start"]), int(span["end"])
    expected = {"traceId": span["traceID"], "id": span["spanID"], "duration": max(1, max(0, end - start) // 1000)}
    expected |= {"parentId": span["parentID"]} if span["parentID"] else {}
    expected |= {"name": span["name"]} if span["name"] else {}
    expected |= {"kind": KINDS[span["kind"]]} if span["kind"] in KINDS else {}
    expected |= {"timestamp": start // 1000} if start >= 1000 else {}
    expected |= {"localEndpoint": {"serviceName": service_name(entry["resource"])}}
    remote = [v[1] for rank in ("peer.service", "server.address") for k, v in span["attributes"]
              if k == rank and v[0] == "string" and v[1]]
    if span["kind"] in (3, 4) and remote:
        expected["remoteEndpoint"] = {"serviceName": remote[0]}
    rest = dict(found)
    tags, annotations = rest.pop("tags", {}), rest.pop("annotations", [])
    assert rest == expected, f"Zipkin span:\n found    {rest}\n expected {expected}"

    links = {key: tags.pop(key) for key in list(tags) if key.startswith("otlp.link.")}
    assert len(links) == len(span["links"])
    for index, link in enumerate(span["links"]):
        trace, span_id, rest = links[f"otlp.link.{index}"].split("|", 2)
        state, rest = rest.split("|", 1)
        attributes, dropped = rest.rsplit("|", 1)
        assert (trace, span_id, state) == (link["traceID"], link["spanID"], link["traceState"])
        assert int(dropped) == link["dropped"]
        assert json.loads(attributes) == plain(["map", link["attributes"]])

    wanted = zipkin_tags(entry)
    assert tags.keys() == wanted.keys(), f"Zipkin tags {sorted(tags)}, expected {sorted(wanted)}"
    for key, value in wanted.items():
        assert text_matches(value, tags[key]), f"Zipkin tag {key}: {tags[key]!r} for {value}"

    assert len(annotations) == len(span["events"])
    for annotation, event in zip(annotations, span["events"]):
        assert annotation["timestamp"] == int(event["time"]) // 1000
        attributes = plain(["map", event["attributes"]])
        if event["dropped"]:
            attributes["otel.dropped_attributes_count"] = event["dropped"]
        if attributes:
            assert json.loads("{" + annotation["value"] + "}") == {event["name"]: attributes}
        else:
            assert annotation["value"] == event["name"]


class LenientProtocol(TBinaryProtocol):
    """The generated classes read `binary` as a string; this keeps its bytes."""

    def readString(self):
        return self.readBinary().decode("utf-8", "surrogateescape")


def read_jaeger(raw):
    transport = TMemoryBuffer(raw)
    batch = ttypes.Batch()
    batch.read(LenientProtocol(transport))
    assert transport.read(1) == b"", "bytes behind the batch"
    batch.validate()
    return batch


def jaeger_tag(tag):
    fields = {0: "vStr", 1: "vDouble", 2: "vBool", 3: "vLong", 4: "vBinary"}
    given = {name: getattr(tag, name) for name in fields.values() if getattr(tag, name) is not None}
    assert given.keys() == {fields[tag.vType]}, f"tag {tag.key} of type {tag.vType} holds {given}"
    value = given[fields[tag.vType]]
    if tag.vType == 0:
        value.encode()
        return [tag.key, "text", value]
    if tag.vType == 4:
        value = value.encode("utf-8", "surrogateescape").hex()
    return [tag.key, tag.vType, bits(value) if tag.vType == 1 else value]


def tag_matches(found, wanted):
    kinds = {"double": 1, "bool": 2, "int": 3, "bytes": 4}
    (key, kind, value), (wanted_key, (wanted_kind, raw)) = found, wanted
    if key != wanted_key:
        return False
    if kind == "text":
        return wanted_kind in ("string", "array", "map", "empty") and text_matches([wanted_kind, raw], value)
    return kinds.get(wanted_kind) == kind and value == (int(raw) if kind == 3 else raw)


def check_tags(what, found, expected):
    """In any order; a key may come twice, of the span and of its scope."""
    left = list(expected)
    for tag in map(jaeger_tag, found or []):
        match = next((wanted for wanted in left if tag_matches(tag, wanted)), None)
        assert match, f"{what}: tag {tag}, expected one of {left}"
        left.remove(match)
    assert not left, f"{what}: without the tags {left}"


def signed(unsigned):
    return struct.unpack(">q", bytes.fromhex(unsigned))[0]


def check_jaeger(found, entry):
    span = entry["item"]
    start, end = int(span["start"]), int(span["end"])

    def ids(owner):
        return signed(owner["traceID"][16:]), signed(owner["traceID"][:16]), signed(owner["spanID"])

    assert (found.traceIdLow, found.traceIdHigh, found.spanId) == ids(span)
    assert found.parentSpanId == (signed(span["parentID"]) if span["parentID"] else 0)
    assert found.operationName == span["name"]
    assert found.flags == span["flags"] & 1
    assert (found.startTime, found.duration) == (start // 1000, max(0, end - start) // 1000)
    references = [(r.refType, r.traceIdLow, r.traceIdHigh, r.spanId) for r in found.references or []]
    assert references == [(1, *ids(link)) for link in span["links"]]

    code, message = span["status"]
    tags = [tag for tag in span["attributes"] if not (code == 2 and tag[0] == "error")]
    tags += scope_tags(entry["scope"]) + dropped_tags(span)
    tags += [["span.kind", ["string", KINDS[span["kind"]].lower()]]] if span["kind"] in KINDS else []
    tags += [["otel.status_code", ["string", STATUS[code]]]] if code else []
    tags += [["otel.status_description", ["string", message]]] if code and message else []
    tags += [["error", ["bool", True]]] if code == 2 else []
    tags += [["w3c.tracestate", ["string", span["traceState"]]]] if span["traceState"] else []
    check_tags("Jaeger span", found.tags, tags)

    logs = []
    for event in span["events"]:
        fields = list(event["attributes"])
        if event["name"] and "event" not in dict(fields):
            fields.append(["event", ["string", event["name"]]])
        if event["dropped"]:
            fields.append(["otel.event.dropped_attributes_count", ["int", str(event["dropped"])]])
        logs.append((int(event["time"]) // 1000, fields))
    for link in span["links"]:
        more = list(link["attributes"])
        more += [["w3c.tracestate", ["string", link["traceState"]]]] if link["traceState"] else []
        more += [["otel.dropped_attributes_count", ["int", str(link["dropped"])]]] if link["dropped"] else []
        if more:
            own = [["trace_id", ["string", link["traceID"]]], ["span_id", ["string", link["spanID"]]]]
            logs.append((start // 1000, [["event", ["string", "link"]], *own, *more]))
    assert len(found.logs or []) == len(logs)
    for log, wanted in zip(found.logs or [], logs):
        assert log.timestamp == wanted[0]
        check_tags("Jaeger log", log.fields, wanted[1])


# ---- The two commands ----


def make(folder):
    """What Swift has no values for and passes through: exemplars, exponential histograms, summaries, entity references."""
    metrics = json_format.Parse(
        """{"resourceMetrics": [{"resource": {"attributes": [{"key": "a", "value": {"stringValue": "x"}}],
          "entityRefs": [{"schemaUrl": "s", "type": "host", "idKeys": ["a", "b"], "descriptionKeys": ["c"]}]},
        "scopeMetrics": [{"scope": {"name": "s"}, "metrics": [
          {"name": "e", "exponentialHistogram": {"aggregationTemporality": 1, "dataPoints": [{
            "attributes": [{"key": "k", "value": {"intValue": "-1"}}], "startTimeUnixNano": "1", "timeUnixNano": "2",
            "count": "3", "sum": -1.5, "scale": -3, "zeroCount": "4", "flags": 1, "min": -2, "max": 7, "zeroThreshold": 0.25,
            "positive": {"offset": -7, "bucketCounts": ["1", "0", "18446744073709551615"]},
            "negative": {"offset": 2147483647, "bucketCounts": ["300"]},
            "exemplars": [{"timeUnixNano": "9", "asInt": "-5", "spanId": "AQIDBAUGBwg=", "traceId": "AQIDBAUGBwgBAgMEBQYHCA==",
              "filteredAttributes": [{"key": "f", "value": {"boolValue": true}}]}]}]}},
          {"name": "q", "metadata": [{"key": "m", "value": {"doubleValue": "NaN"}}], "summary": {"dataPoints": [{
            "timeUnixNano": "2", "count": "3", "sum": 4, "flags": 1, "quantileValues": [
              {"quantile": 0.5, "value": 1}, {"quantile": 1, "value": "Infinity"}]}]}},
          {"name": "g", "gauge": {"dataPoints": [{"asInt": "-9223372036854775808", "timeUnixNano": "5", "flags": 1,
            "exemplars": [{"asDouble": 0.1}]}, {"asDouble": "-Infinity"}]}},
          {"name": "d", "sum": {"aggregationTemporality": 1, "dataPoints": [{"asDouble": 1}]}}]}]}]}""",
        ExportMetricsServiceRequest(),
    )
    (folder / "peer-metrics.pb").write_bytes(metrics.SerializeToString())
    for name, message in [*REQUESTS.items(), ("peer-metrics", ExportMetricsServiceRequest)]:
        request = message.FromString((folder / f"{name}.pb").read_bytes())
        for suffix, proto_names in ("", False), ("-names", True):
            fields = json_format.MessageToDict(
                request, preserving_proto_field_name=proto_names, use_integers_for_enums=not proto_names
            )
            text = json.dumps(with_hex_ids(fields), ensure_ascii=proto_names, indent=2 if proto_names else None)
            (folder / f"otlp-{name}{suffix}.json").write_bytes(text.encode("utf-8", "surrogatepass"))


    make_zipkin(folder)
    make_jaeger(folder)


ZIPKIN_FILES = {"v2.json": Encoding.V2_JSON, "v2.pb": Encoding.V2_PROTO3, "v1.json": Encoding.V1_JSON}


def make_zipkin(folder):
    """The same spans in three formats, written by py-zipkin."""
    spans = [
        Span(
            trace_id=f"{number + 1:016x}",
            name=f"späne {number}",
            parent_id="00000000000000aa" if number else None,
            span_id=f"{number + 16:016x}",
            kind=kind,
            timestamp=1_700_000_000.25,
            duration=0.5,
            local_endpoint=create_endpoint(8080, f"svc-{number % 2}", "10.0.0.1"),
            remote_endpoint=create_endpoint(5432, "db", "2001:db8::1"),
            annotations={"looked up": 1_700_000_000.375},
            tags={"k": "v\n", "n": "1"},
        )
        for number, kind in enumerate([Kind.CLIENT, Kind.SERVER, Kind.CLIENT])
    ]
    for name, encoding in ZIPKIN_FILES.items():
        encoder = get_encoder(encoding)
        raw = encoder.encode_queue([encoder.encode_span(span) for span in spans])
        (folder / f"client-zipkin-{name}").write_bytes(raw.encode() if isinstance(raw, str) else raw)


def check_zipkin_clients(folder):
    for name in ZIPKIN_FILES:
        request = ExportTraceServiceRequest.FromString((folder / f"from-client-zipkin-{name}.pb").read_bytes())
        found = {}
        for group in request.resource_spans:
            resource = [["service.name", "svc"], ["network.local.address", "10.0.0.1"], ["network.local.port", 8080]]
            service = dict(attributes_of(group.resource.attributes))["service.name"][1]
            resource[0][1] = service
            assert simple(group.resource.attributes) == resource, f"{name}: {group.resource}"
            for span in group.scope_spans[0].spans:
                found[int.from_bytes(span.trace_id, "big")] = service, span
        assert found.keys() == {1, 2, 3}, f"{name}: traces {found.keys()}"
        for trace, (service, span) in found.items():
            assert service == f"svc-{(trace - 1) % 2}"
            assert (span.name, span.kind) == (f"späne {trace - 1}", [3, 2, 3][trace - 1]), f"{name}: {span}"
            assert span.span_id.hex() == f"{trace + 15:016x}"
            assert span.parent_span_id.hex() == ("00000000000000aa" if trace > 1 else "")
            assert (span.start_time_unix_nano, span.end_time_unix_nano) == (1_700_000_000_250_000_000, 1_700_000_000_750_000_000)
            assert [(e.time_unix_nano, e.name) for e in span.events] == [(1_700_000_000_375_000_000, "looked up")]
            peer = [["peer.service", "db"], ["network.peer.address", "2001:db8::1"], ["network.peer.port", 5432]]
            assert sorted(simple(span.attributes)) == sorted([["k", "v\n"], ["n", "1"], *peer]), f"{name}: {span}"


def simple(attributes):
    return [[key, int(value) if kind == "int" else value] for key, (kind, value) in attributes_of(attributes)]


JAEGER_FILES = {
    "binary": (TBinaryProtocol, None),
    "compact": (TCompactProtocol, None),
    "strict": (lambda transport: TBinaryProtocol(transport, strictWrite=True), "emitBatch"),
    "old": (lambda transport: TBinaryProtocol(transport, strictWrite=False), "emitBatch"),
    "compact-call": (TCompactProtocol, "emitBatch"),
}


def make_jaeger(folder):
    """One batch in all of Thrift's protocols, written by Thrift's library with Jaeger's generated classes."""
    tags = [
        ttypes.Tag("s", ttypes.TagType.STRING, vStr="é"),
        ttypes.Tag("d", ttypes.TagType.DOUBLE, vDouble=-1.5),
        ttypes.Tag("b", ttypes.TagType.BOOL, vBool=True),
        ttypes.Tag("f", ttypes.TagType.BOOL, vBool=False),
        ttypes.Tag("l", ttypes.TagType.LONG, vLong=-(2**63)),
    ]
    kind = ttypes.Tag("span.kind", ttypes.TagType.STRING, vStr="producer")
    span = ttypes.Span(
        -2, 3, 5, 0, "op",
        [ttypes.SpanRef(ttypes.SpanRefType.CHILD_OF, -2, 3, 4), ttypes.SpanRef(ttypes.SpanRefType.FOLLOWS_FROM, 7, 0, 8)],
        1, 1_700_000_000_000_000, 250, [*tags, kind],
        [ttypes.Log(1_700_000_000_000_001, [ttypes.Tag("event", ttypes.TagType.STRING, vStr="e"), *tags])],
    )  # fmt: skip
    batch = ttypes.Batch(ttypes.Process("svc", tags[:2]), [span] * 20)
    for name, (protocol, call) in JAEGER_FILES.items():
        transport = TMemoryBuffer()
        writer = protocol(transport)
        if call:
            writer.writeMessageBegin(call, TMessageType.ONEWAY, 300)
            writer.writeStructBegin("emitBatch_args")
            writer.writeFieldBegin("batch", TType.STRUCT, 1)
        batch.write(writer)
        if call:
            writer.writeFieldEnd()
            writer.writeFieldStop()
            writer.writeStructEnd()
            writer.writeMessageEnd()
        (folder / f"client-jaeger-{name}").write_bytes(transport.getvalue())


def check_jaeger_clients(folder):
    tags = [["s", ["string", "é"]], ["d", ["double", bits(-1.5)]], ["b", ["bool", True]], ["f", ["bool", False]], ["l", ["int", str(-(2**63))]]]
    for name in JAEGER_FILES:
        request = ExportTraceServiceRequest.FromString((folder / f"from-client-jaeger-{name}.pb").read_bytes())
        (group,) = request.resource_spans
        assert attributes_of(group.resource.attributes) == [["service.name", ["string", "svc"]], *tags[:2]], f"{name}: {group.resource}"
        (scope,) = group.scope_spans
        assert len(scope.spans) == 20
        for span in scope.spans:
            assert (span.trace_id.hex(), span.span_id.hex()) == ("0000000000000003fffffffffffffffe", "0000000000000005")
            assert (span.parent_span_id.hex(), span.name, span.kind, span.flags) == ("0000000000000004", "op", 4, 1), f"{name}: {span}"
            assert span.end_time_unix_nano - span.start_time_unix_nano == 250_000
            assert attributes_of(span.attributes) == tags, f"{name}: {span}"
            assert [(link.trace_id.hex(), link.span_id.hex()) for link in span.links] == [(f"{7:032x}", f"{8:016x}")]
            (event,) = span.events
            assert (event.name, event.time_unix_nano) == ("e", 1_700_000_000_000_001_000)
            assert attributes_of(event.attributes) == tags


def with_hex_ids(value, key=None):
    """Protobuf's JSON form with OTLP's exception: ids are hex digits."""
    if isinstance(value, dict):
        return {name: with_hex_ids(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return [with_hex_ids(element) for element in value]
    is_id = key in ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")
    return base64.b64decode(value).hex() if is_id else value


def check(folder):
    description = json.loads((folder / "description.json").read_text("utf-8"))
    for signal, message in REQUESTS.items():
        raw = (folder / f"{signal}.pb").read_bytes()
        binary = message.FromString(raw)
        same(f"{signal}, protobuf", items_of(binary), description[signal])
        assert binary.SerializeToString(deterministic=True) == raw, f"{signal}: not the bytes the official encoder makes"
        text = (folder / f"{signal}.json").read_bytes().decode("utf-8")
        same(f"{signal}, JSON", items_of(parse_otlp_json(text, message())), description[signal])

    sent = ExportMetricsServiceRequest.FromString((folder / "peer-metrics.pb").read_bytes())
    passed = (folder / "passed-metrics.pb").read_bytes()
    assert passed == sent.SerializeToString(deterministic=True), "metrics passed through are not the same"
    parsed = parse_otlp_json((folder / "passed-metrics.json").read_bytes().decode("utf-8"), ExportMetricsServiceRequest())
    assert parsed.SerializeToString(deterministic=True) == passed, f"metrics passed through as JSON:\n{parsed}\n{sent}"

    for name, message in [*REQUESTS.items(), ("peer-metrics", ExportMetricsServiceRequest)]:
        sent = message.FromString((folder / f"{name}.pb").read_bytes()).SerializeToString(deterministic=True)
        for suffix in "", "-names":
            read = message.FromString((folder / f"from-otlp-{name}{suffix}.pb").read_bytes())
            assert read.SerializeToString(deterministic=True) == sent, f"{name}{suffix}: JSON was read as\n{read}"

    check_zipkin_clients(folder)
    check_jaeger_clients(folder)
    by_id = {(entry["item"]["traceID"], entry["item"]["spanID"]): entry for entry in description["traces"]}
    assert len(by_id) == len(description["traces"]), "ids are not unique"
    spans = json.loads((folder / "zipkin.json").read_bytes().decode("utf-8"))
    jsonschema.validate(spans, zipkin_schema.LIST_OF_SPANS)
    assert len(spans) == len(by_id)
    for span in spans:
        check_zipkin(span, by_id[span["traceId"], span["id"]])

    seen = 0
    for file in sorted(folder.glob("jaeger-*.thrift")):
        batch = read_jaeger(file.read_bytes())
        for span in batch.spans:
            key = struct.pack(">qq", span.traceIdHigh, span.traceIdLow).hex(), struct.pack(">q", span.spanId).hex()
            check_jaeger(span, by_id[key])
            resource = by_id[key]["resource"]
            assert batch.process.serviceName == service_name(resource)
            tags = [tag for tag in resource["attributes"] if tag[0] != "service.name"]
            check_tags("Jaeger process", batch.process.tags, tags)
            seen += 1
    assert seen == len(by_id), f"{seen} Jaeger spans, {len(by_id)} expected"
    counts = {signal: len(description[signal]) for signal in REQUESTS}
    print(f"compared {counts}")


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](pathlib.Path(sys.argv[2]))
