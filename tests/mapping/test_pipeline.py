import threading
import time

import pytest

from engine.errors import Cancelled
from engine.mapping.pipeline import WriteBehind, read_ahead


def test_results_come_in_order():
    assert list(read_ahead(range(50), lambda item: item * item)) == [item * item for item in range(50)]


def test_no_more_is_read_than_fits():
    read = []
    results = read_ahead(range(100), read.append, depth=2)
    next(results)
    time.sleep(0.3)
    assert len(read) <= 4  # one with the caller, two waiting, one that waits for its place
    results.close()


def test_reader_s_exception_arrives_after_the_good_results():
    def read(item):
        if item == 3:
            raise ValueError("bad block")
        return item

    results = read_ahead(range(10), read)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="bad block"):
        next(results)


def test_leaving_early_ends_the_reader():
    before = threading.active_count()
    for _ in read_ahead(range(1000), lambda item: item):
        break
    time.sleep(0.5)
    assert threading.active_count() == before


def test_waiting_can_be_stopped():
    stop = threading.Event()

    def poll():
        raise Cancelled

    def read(item):
        stop.wait(5)

    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Cancelled):
        next(read_ahead([1], read, poll=poll))


def test_all_is_written_in_order_when_left():
    written = []
    with WriteBehind(lambda item: (time.sleep(0.001), written.append(item))) as writer:
        for item in range(20):
            writer.put(item)
    assert written == list(range(20))


def test_writer_s_exception_is_raised_once_and_never_blocks():
    def write(item):
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"), WriteBehind(write) as writer:
        for item in range(20):
            writer.put(item)
    with pytest.raises(OSError, match="disk"), WriteBehind(write) as writer:
        writer.put(1)


def test_what_was_put_is_written_even_if_the_caller_fails():
    written = []
    with pytest.raises(KeyError), WriteBehind(written.append) as writer:
        writer.put(1)
        raise KeyError
    assert written == [1]
