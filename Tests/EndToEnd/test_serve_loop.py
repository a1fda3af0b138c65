"""What a program does without end leaves room for its server's connections, and for the request to end."""

import signal

import pytest

from serving import wait_for

ANSWER = "export default { fetch() { return new Response(String(n)); } };\n"

ENDLESS = {
    "a child's messages": """
        let n = 0;
        new Worker('./floods.mjs').onmessage = () => { n++; };
    """,
    "a child's messages, each of which takes long": """
        let n = 0;
        new Worker('./floods.mjs').onmessage = () => { n++; for (const end = performance.now() + 3; performance.now() < end;); };
    """,
    "messages to itself": """
        let n = 0;
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => { n++; port2.postMessage(1); };
        port2.postMessage(1);
    """,
    "many channels": """
        let n = 0;
        for (let i = 0; i < 2000; i++) {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => { n++; port2.postMessage(1); };
            port2.postMessage(1);
        }
    """,
    "immediates": """
        let n = 0;
        setImmediate(function again() { n++; setImmediate(again); });
    """,
    "immediates that take long": """
        let n = 0;
        setImmediate(function again() { n++; for (const end = performance.now() + 3; performance.now() < end;); setImmediate(again); });
    """,
}
FLOODS = """
for (;;) {
    try { postMessage(1); } catch { for (const end = performance.now() + 1; performance.now() < end;); } // a full queue
}
"""


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_never_ends_leaves_room_for_requests(serve, kind):
    service = serve(ENDLESS[kind] + ANSWER, files={"floods.mjs": FLOODS})
    first = int(service.fetch("/"))
    wait_for(lambda: int(service.fetch("/")) > first)
    # Timers too, and the request to end.
    assert service.end() == 0


def test_900_000_messages_that_wait_leave_room_for_requests(serve):
    # To handle them all takes three minutes; a client waits for 20 seconds.
    service = serve(
        """
        let n = 0;
        new Worker('./bursts.mjs').onmessage = () => {
            n++;
            if (n > 1000) for (const end = performance.now() + 0.2; performance.now() < end;);
        };
        export default { fetch() { return new Response(String(n)); } };
        """,
        files={"bursts.mjs": "for (let i = 0; i < 900_000; i++) postMessage(i);\n"},
    )  # fmt: skip
    wait_for(lambda: int(service.fetch("/")) > 2000)
    for _ in range(20):
        assert int(service.fetch("/")) < 900_000
    assert service.end() == 0


STUCK = {
    "a loop": "console.log('here'); for (;;);",
    "a wait": "console.log('here'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
    "an await": "console.log('here'); await new Promise((resolve) => { setTimeout(resolve, 1e8); });",
}


@pytest.mark.parametrize("kind", STUCK)
def test_a_worker_that_does_not_serve_yet_is_not_waited_for(serve, kind):
    # A minute is longer than `end` waits.
    service = serve(STUCK[kind] + "\nexport default { fetch() {} };", "--shutdown-timeout", "60s", "--start-timeout", "600s", wait=False)
    wait_for(lambda: "here" in service.err)
    assert service.end() == 0
    assert "killed" not in service.err


def test_a_follower_that_does_not_serve_yet_is_not_waited_for(serve, sidelight):
    service = serve("export default { fetch() { return new Response('old'); } };", "--shutdown-timeout", "60s", "--start-timeout", "600s")
    sidelight.write("app.mjs", STUCK["a loop"])
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "here" in service.err)
    assert service.fetch("/") == "old"
    assert service.end() == 0
    assert "killed" not in service.err


def test_what_is_said_of_a_worker_whose_javascript_does_not_return(serve):
    service = serve(
        "export default { fetch() { setTimeout(() => { console.log('stuck'); for (;;); }, 1); return new Response('x'); } };", "--shutdown-timeout", "300ms"
    )
    service.fetch("/")
    wait_for(lambda: "stuck" in service.err)
    assert service.end() == 1
    assert "isolate 0 was killed before it had finished: its JavaScript did not come back to the event loop" in service.err
