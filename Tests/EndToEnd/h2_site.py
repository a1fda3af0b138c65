"""A site that speaks HTTP/2 over TLS, by hyper-h2: a thread a connection, one request's answer after the other as windows allow."""

import socket
import ssl
import threading

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError


class H2Site:
    def __init__(self, certificate, key):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        self.tls.set_alpn_protocols(["h2"])
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain):
        try:
            with self.tls.wrap_socket(plain, server_side=True) as stream:
                self.talk(stream)
        except OSError:
            pass  # the client has left

    def talk(self, stream):
        connection = H2Connection(H2Configuration(client_side=False))
        connection.initiate_connection()
        stream.sendall(connection.data_to_send())
        requests, answers = {}, {}
        while data := stream.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, RequestReceived):
                    requests[event.stream_id] = ({name.decode(): value.decode() for name, value in event.headers}, bytearray())
                elif isinstance(event, DataReceived):
                    requests[event.stream_id][1].extend(event.data)
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    answers[event.stream_id] = self.answer(*requests.pop(event.stream_id))
                    connection.send_headers(event.stream_id, [(":status", "200")])
                elif isinstance(event, StreamReset):
                    answers.pop(event.stream_id, None)
            self.send(connection, answers)
            stream.sendall(connection.data_to_send())

    def answer(self, headers, body):
        path = headers[":path"]
        if path.startswith("/bytes/"):
            return [b"x", int(path[7:])]
        text = str(len(body)) if path == "/length" else f"{headers[':method']} {path} {body.decode()}"
        return [text.encode(), len(text.encode())]

    def send(self, connection, answers):
        """As much as the windows take."""
        for stream_id, answer in list(answers.items()):
            content, left = answer
            try:
                while left:
                    size = min(left, connection.local_flow_control_window(stream_id), connection.max_outbound_frame_size)
                    if size <= 0:
                        break
                    connection.send_data(stream_id, content * size if len(content) == 1 else content[-left:][:size])
                    left -= size
                answer[1] = left
                if left == 0:
                    connection.end_stream(stream_id)
                    del answers[stream_id]
            except ProtocolError:
                del answers[stream_id]
