"""What https://zipkin.io/zipkin-api/zipkin2-api.yaml says of POST /spans, as a JSON schema."""

ENDPOINT = {
    "type": "object",
    "properties": {
        "serviceName": {"type": "string"},
        "ipv4": {"type": "string", "format": "ipv4"},
        "ipv6": {"type": "string", "format": "ipv6"},
        "port": {"type": "integer", "minimum": 0, "maximum": 65535},
    },
    "additionalProperties": False,
}

SPAN = {
    "type": "object",
    "required": ["traceId", "id"],
    "properties": {
        "traceId": {"type": "string", "pattern": "^[a-f0-9]{16}([a-f0-9]{16})?$"},
        "id": {"type": "string", "pattern": "^[a-f0-9]{16}$"},
        "parentId": {"type": "string", "pattern": "^[a-f0-9]{16}$"},
        "name": {"type": "string"},
        "kind": {"enum": ["CLIENT", "SERVER", "PRODUCER", "CONSUMER"]},
        "timestamp": {"type": "integer", "minimum": 1},
        "duration": {"type": "integer", "minimum": 1},
        "debug": {"type": "boolean"},
        "shared": {"type": "boolean"},
        "localEndpoint": ENDPOINT,
        "remoteEndpoint": ENDPOINT,
        "annotations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["timestamp", "value"],
                "properties": {"timestamp": {"type": "integer"}, "value": {"type": "string"}},
                "additionalProperties": False,
            },
        },
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "additionalProperties": False,
}

LIST_OF_SPANS = {"type": "array", "items": SPAN}
