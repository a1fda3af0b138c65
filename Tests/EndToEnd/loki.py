"""Loki's push API as its documentation and its push.proto have it, read by what others wrote: protobuf's own parser and cramjam's snappy."""

import re

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def _messages():
    file = descriptor_pb2.FileDescriptorProto(name="push.proto", package="logproto", syntax="proto3")
    kinds = {"string": 9, "int64": 3, "int32": 5, "uint64": 4}
    for name, fields in {
        "Timestamp": [("seconds", 1, "int64"), ("nanos", 2, "int32")],
        "LabelPairAdapter": [("name", 1, "string"), ("value", 2, "string")],
        "EntryAdapter": [("timestamp", 1, "Timestamp"), ("line", 2, "string"), ("structuredMetadata", 3, ["LabelPairAdapter"])],
        "StreamAdapter": [("labels", 1, "string"), ("entries", 2, ["EntryAdapter"]), ("hash", 3, "uint64")],
        "PushRequest": [("streams", 1, ["StreamAdapter"])],
    }.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            repeated = isinstance(kind, list)
            kind = kind[0] if repeated else kind
            added = message.field.add(name=field, number=number, label=3 if repeated else 1, type=kinds.get(kind, 11))
            if kind not in kinds:
                added.type_name = f".logproto.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("logproto.PushRequest"))


PushRequest = _messages()
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
VALUE = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


def labels_of(text):
    """A selector, by the grammar of LogQL: names, and values in Go's quotes."""
    assert text[0] == "{" and text[-1] == "}", text
    rest, labels = text[1:-1], {}
    while rest:
        name = NAME.match(rest)
        value = VALUE.match(rest, name.end() + 1)
        assert rest[name.end()] == "=" and value, rest
        assert name[0] not in labels, text
        labels[name[0]] = re.sub(r"\\(u[0-9a-f]{4}|.)", lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "u" else ESCAPES[m[1]], value[1])
        rest = rest[value.end() :]
        assert not rest or rest.startswith(", "), rest
        rest = rest[2:]
    assert labels, "Loki refuses a stream without labels"
    return labels


def lines_of(body):
    """(labels, nanoseconds, line, structured metadata) of a push, in its order."""
    push = PushRequest.FromString(bytes(cramjam.snappy.decompress_raw(body)))
    seen = set()
    for stream in push.streams:
        assert stream.labels not in seen, "a stream stands twice"
        seen.add(stream.labels)
        last = 0
        for entry in stream.entries:
            time = entry.timestamp.seconds * 1_000_000_000 + entry.timestamp.nanos
            assert time >= last, "the lines of a stream are not in order"
            last = time
            metadata = {}
            for pair in entry.structuredMetadata:
                assert NAME.fullmatch(pair.name) and pair.name not in metadata, pair.name
                metadata[pair.name] = pair.value
            yield labels_of(stream.labels), time, entry.line, metadata
