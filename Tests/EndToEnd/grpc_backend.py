"""Backends of OTLP/gRPC: grpcio's server with opentelemetry-proto's messages, with scriptable misbehaviour."""

import concurrent.futures
import socket
import threading
import time

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, StreamEnded
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from receiver import logs_of, spans_of


def retry_info(seconds, code):
    """What `grpc-status-details-bin` holds when a server says when to come again."""
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))))
    return status_pb2.Status(code=code.value[0], message="later", details=[detail]).SerializeToString()


class GRPCBackend:
    """`answers` are used up one a call; each is a function of the call's context that may abort it or return a response. Without one, everything is taken."""

    def __init__(self, answers=(), *, credentials=None, port=0, message_max=None):
        self.answers = list(answers)
        self.lock = threading.Lock()
        self.calls = []  # (when, peer, metadata, items) of all
        self.requests = []  # that were taken
        options = [("grpc.max_receive_message_length", message_max)] if message_max else []
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(16), options=options)
        for name, module, grpc_module in [
            ("Trace", trace_service_pb2, trace_service_pb2_grpc),
            ("Logs", logs_service_pb2, logs_service_pb2_grpc),
            ("Metrics", metrics_service_pb2, metrics_service_pb2_grpc),
        ]:
            response = getattr(module, f"Export{name}ServiceResponse")
            servicer = type(name, (), {"Export": lambda _, request, context, response=response: self.export(request, context, response)})()
            getattr(grpc_module, f"add_{name}ServiceServicer_to_server")(servicer, self.server)
        if credentials:
            self.port = self.server.add_secure_port(f"127.0.0.1:{port}", credentials)
        else:
            self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")
        assert self.port != 0
        self.url = f"{'https' if credentials else 'http'}://127.0.0.1:{self.port}"
        self.server.start()

    def export(self, request, context, response):
        with self.lock:
            self.calls.append((time.monotonic(), context.peer(), dict(context.invocation_metadata()), context.time_remaining()))
            answer = self.answers.pop(0) if self.answers else None
        result = answer(context) if answer else response()
        with self.lock:
            self.requests.append(request)
        return result

    def stop(self):
        self.server.stop(None).wait()

    @property
    def spans(self):
        return [span for request in self.trace_requests for span in spans_of(request)]

    @property
    def trace_requests(self):
        with self.lock:
            return [request for request in self.requests if hasattr(request, "resource_spans")]

    @property
    def metrics(self):
        with self.lock:
            requests = [request for request in self.requests if hasattr(request, "resource_metrics")]
        return [metric for request in requests for group in request.resource_metrics for scoped in group.scope_metrics for metric in scoped.metrics]

    @property
    def logs(self):
        with self.lock:
            return [log for request in self.requests if hasattr(request, "resource_logs") for log in logs_of(request)]


def abort(code, details="no", status=None):
    def answer(context):
        if status is not None:
            context.set_trailing_metadata((("grpc-status-details-bin", status),))
        context.abort(code, details)

    return answer


class RoughBackend:
    """A server of OTLP/gRPC by hyper-h2 that ends calls in ways of `tempers`, one a call, and takes what comes when they are used up. A thread a connection."""

    def __init__(self, *tempers):
        self.tempers = list(tempers)
        self.spans = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(stream,), daemon=True).start()

    def serve(self, stream):
        with stream:
            connection = H2Connection(H2Configuration(client_side=False))
            connection.initiate_connection()
            stream.sendall(connection.data_to_send())
            bodies = {}
            try:
                while data := stream.recv(65536):
                    for event in connection.receive_data(data):
                        if isinstance(event, DataReceived):
                            bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                        elif isinstance(event, StreamEnded) and not self.end(connection, event.stream_id, bodies.pop(event.stream_id), stream):
                            return
                    stream.sendall(connection.data_to_send())
            except OSError:
                pass  # the client has left

    def end(self, connection, stream_id, body, stream):
        """False: the connection is over."""
        temper = self.tempers.pop(0) if self.tempers else "take"
        head = [(":status", "200"), ("content-type", "application/grpc")]
        if temper == "reset":
            connection.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
        elif temper == "goaway":
            connection.close_connection(last_stream_id=0)
            stream.sendall(connection.data_to_send())
            return False
        elif temper == "half":
            connection.send_headers(stream_id, head)
            connection.send_data(stream_id, b"\0\0\0\0\x05ab")
            stream.sendall(connection.data_to_send())
            return False
        elif temper == "garbage":
            stream.sendall(b"\xff" * 100)
            return False
        elif temper == "close":
            return False
        elif temper == "take":
            self.spans += spans_of(trace_service_pb2.ExportTraceServiceRequest.FromString(body[5:]))
            connection.send_headers(stream_id, head)
            connection.send_data(stream_id, b"\0\0\0\0\0")
            connection.send_headers(stream_id, [("grpc-status", "0")], end_stream=True)
        else:
            assert temper == "silence", temper
        return True
