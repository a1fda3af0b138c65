"""A compromised worker: whatever it writes into the ring, the agent stays well, keeps what was good and says what was not."""

import time

import pytest

ERROR = 2


@pytest.fixture
def hostile(beside):
    return beside("hostile_worker.py")


def names(receiver):
    return sorted(span.name for span in receiver.spans)


@pytest.mark.parametrize(
    "how",
    ["length_zero", "length_not_a_multiple", "length_huge", "length_beyond_head", "head_beyond_capacity", "head_backwards",
     "head_not_a_multiple", "broken_then_hangs", "broken_only_at_the_end"],
)  # fmt: skip
def test_a_broken_frame_ends_the_run_with_70_and_keeps_what_came_before(hostile, receiver, how):
    done = hostile("run", *receiver.export(), f"{how}.js", timeout=30)
    assert done.code == 70, done.err
    assert "ring" in done.err and len(done.err.splitlines()) <= 3
    assert names(receiver) == ["good"] * 10
    (log,) = receiver.logs
    assert log.attributes["exception.type"] == "ring_broken"


def test_bad_records_are_counted_and_the_next_one_is_read(hostile, receiver):
    done = hostile("run", "--json", *receiver.export(), "bad_records.js")
    assert done.code == 0, done.err
    assert names(receiver) == ["good"] * 10
    assert sum(done.summary["rejected"].values()) == 26
    assert "26" in done.err.splitlines()[0], "and said"


def test_text_that_is_no_utf_8_is_a_bad_record(hostile, receiver):
    done = hostile("run", "--json", *receiver.export(), "invalid_utf8.js")
    assert done.code == 0
    assert done.summary["rejected"] == {"utf8": 2}


@pytest.mark.parametrize("seed", range(20))
def test_random_bodies(hostile, receiver, seed):
    done = hostile("run", "--json", *receiver.export(), "random_bodies.js", seed)
    assert done.code == 0, done.err
    good = [span for span in receiver.spans if span.name == "good" and int(span.span_id, 16) <= 3000]
    assert len(good) == 30
    summary = done.summary
    assert summary["received"]["traces"] == len(receiver.spans)


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes(hostile, receiver, seed):
    done = hostile("run", *receiver.export(), "random_bytes.js", seed)
    assert done.code in (0, 70), done.err
    assert len([span for span in receiver.spans if span.name == "good" and int(span.span_id, 16) <= 10]) >= 10


@pytest.mark.parametrize("seed", range(3))
def test_bytes_that_change_while_they_are_read(hostile, make_receiver, seed):
    done = hostile("run", "changing_bytes.js", seed)
    assert done.code in (0, 70), done.err


def test_the_agent_trusts_no_tail_but_its_own(hostile, receiver):
    done = hostile("run", *receiver.export(), "tail_overwritten.js")
    assert done.code == 0, done.err
    assert len(receiver.spans) == 3


def test_more_open_spans_than_are_followed(hostile, receiver):
    done = hostile("run", "--json", *receiver.export(), "many_open.js", timeout=60)
    assert done.code == 0, done.err
    assert len(receiver.spans) == 65536
    assert done.summary["counters"]["sidelight_open_spans_untracked_total"] == 70000 - 65536


def test_wakes_without_end_are_only_wakes(hostile, receiver):
    done = hostile("run", *receiver.export(), "wakes_without_end.js")
    assert (done.code, names(receiver)) == (0, ["good"] * 10)


def test_what_the_producer_dropped_is_said(hostile, receiver):
    done = hostile("run", "--json", *receiver.export(), "ring_dropped.js")
    assert done.code == 0
    assert "17" in done.err and "span" in done.err
    assert done.summary["ringDropped"] == {"span": 17, "log": 4}


def test_the_ring_cannot_be_resized(hostile, receiver):
    done = hostile("run", *receiver.export(), "truncates.js")
    assert (done.code, done.err) == (0, "")


def test_a_death_note_is_made_safe_to_print(hostile, receiver):
    done = hostile("run", *receiver.export(), "death_note.js")
    assert done.code == 1
    assert "V8 fatal error" in done.err and "\x1b" not in done.err
    (open_span,) = [span for span in receiver.spans if span.name == "open"]
    assert open_span.status == ERROR and open_span.message.startswith("V8 fatal error")
    assert open_span.attributes["error.type"] == "v8_fatal_error"


def test_an_unknown_death_note_is_internal(hostile, receiver):
    done = hostile("run", *receiver.export(), "death_note_unknown.js")
    assert done.code == 70


@pytest.mark.parametrize("code, expected", [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (70, 70), (5, 70), (255, 70)])
def test_exit_codes(hostile, receiver, code, expected):
    done = hostile("run", *receiver.export(), "exit_code.js", code)
    assert done.code == expected
    assert [span.status for span in receiver.spans if span.name == "open"] == [ERROR]
    assert names(receiver) == ["good"] * 10 + ["open"]


def test_a_worker_that_records_nothing(hostile, receiver):
    done = hostile("run", *receiver.export(), "nothing.js")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert receiver.requests == []


def test_a_child_of_the_worker_that_writes_on_does_not_keep_the_agent(hostile, receiver):
    begin = time.monotonic()
    done = hostile("run", *receiver.export(), "a_child_holds_the_ring.js")
    assert done.code == 0
    assert time.monotonic() - begin < 2.5
    assert names(receiver)[:10] == ["good"] * 10


def test_a_child_that_ends_leaves_its_place_to_the_next(hostile, receiver):
    done = hostile("run", "--json", *receiver.export(), "child_ends.js", timeout=30)
    assert done.code == 0, done.err
    assert names(receiver) == ["first"] + ["good"] * 10 + ["left open"] * 2 + ["second"]
    for span in receiver.spans:
        if span.name == "left open":
            assert (span.status, span.attributes["error.type"]) == (ERROR, "span_not_ended")
    assert done.summary["openSpansClosed"] == 2 and done.summary["rejected"] == {}


@pytest.mark.parametrize("how, children", [("child_breaks_its_ring", 5), ("child_head_beyond", 0)])
def test_a_broken_ring_of_a_child_ends_the_worker(hostile, receiver, how, children):
    done = hostile("run", *receiver.export(), f"{how}.js", timeout=30)
    assert done.code == 70, done.err
    assert "ring" in done.err
    assert names(receiver) == ["good"] * (10 + children) + (["open"] if children else [])


@pytest.mark.parametrize("seed", range(3))
def test_noise_in_the_rings_of_children_ends_the_worker_and_keeps_the_first_ring(hostile, receiver, seed):
    done = hostile("run", *receiver.export(), "child_garbage.js", seed, timeout=60)
    assert done.code == 70, done.err
    assert names(receiver).count("good") == 10


def test_states_that_flicker_cost_nothing_that_was_recorded(hostile, receiver):
    done = hostile("run", "--json", *receiver.export(), "child_states_flicker.js", timeout=60)
    assert done.code == 0, done.err
    assert names(receiver) == ["good"] * 20


def test_children_of_a_killed_worker_lose_nothing(hostile, receiver):
    done = hostile("run", "--json", "--limit", "workers=5", *receiver.export(), "children_are_killed.js", timeout=30)
    assert done.code == 1, done.err
    assert names(receiver) == ["good"] * 100 + ["open child"] * 10
    assert len({span.span_id for span in receiver.spans}) == 110
    for span in receiver.spans:
        if span.name == "open child":
            assert (span.status, span.message) == (ERROR, "worker killed by SIGKILL (9)")
