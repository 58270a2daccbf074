"""An answer's body from hostile servers: read to its end within its limits, or called unreadable (rule 31)."""

import gzip
import tracemalloc
import zlib

import pytest

from leaddone_pipeline.webhook import Failure, Meaning, read_answer
from tests.webhook.servers import ANSWER, PATIENT, QUICK, answering, dripping, flooding, saying, send_once

MAX_ANSWER_BYTES = 16 * 1024 * 1024
LARGEST = b"[" + b" " * (MAX_ANSWER_BYTES - 2) + b"]"
BOMB = gzip.compress(b" " * 200_000_000, 1)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PACKED = OK + b"Content-Encoding: gzip\r\n\r\n"
ARCHIVE = gzip.compress(ANSWER)

# An answer began, and cannot be read to its end: BROKEN, with its status.

UNREADABLE = {
    "byte by byte": (dripping(OK + b"Content-Length: 100000\r\n\r\n", b" "), "ReadTimeout"),
    "stalled": (dripping(OK + b"Content-Length: 100000\r\n\r\n[", b""), "ReadTimeout"),
    "chunks byte by byte": (dripping(CHUNKED, b"1\r\n \r\n"), "ReadTimeout"),
    "a chunk's length byte by byte": (dripping(CHUNKED + b"1;", b"a"), "ReadTimeout"),
    "an archive's name byte by byte": (
        dripping(PACKED + b"\x1f\x8b\x08\x08" + b"\0" * 6, b"a"),
        "ReadTimeout",
    ),
    "shorter than told": (saying(OK + b"Content-Length: 100000\r\n\r\n" + ANSWER), "RemoteProtocolError"),
    "a chunk cut off": (saying(CHUNKED + b"ff\r\n" + ANSWER), "RemoteProtocolError"),
    "no last chunk": (saying(CHUNKED + b"1\r\n[\r\n"), "RemoteProtocolError"),
    "no chunks": (saying(CHUNKED + ANSWER), "RemoteProtocolError"),
    "a chunk's length without an end": (flooding(CHUNKED + b"1;", b"a" * 65536), "RemoteProtocolError"),
    "trailers without an end": (flooding(CHUNKED + b"0\r\n", b"X-A: b\r\n" * 8192), "RemoteProtocolError"),
    "too large": (answering(200, LARGEST + b" "), "AnswerTooLarge"),
    "without an end": (flooding(OK + b"\r\n", b" " * 65536), "AnswerTooLarge"),
    "chunks without an end": (flooding(CHUNKED, b"ffff\r\n" + b" " * 65535 + b"\r\n"), "AnswerTooLarge"),
    "an archive of too much": (answering(200, BOMB, Content_Encoding="gzip"), "AnswerTooLarge"),
    "an archive's name without an end": (
        flooding(PACKED + b"\x1f\x8b\x08\x08" + b"\0" * 6, b"a" * 65536),
        "AnswerTooLarge",
    ),
    "bytes without an end after an archive": (flooding(PACKED + ARCHIVE, b"a" * 65536), "AnswerTooLarge"),
    "no archive": (answering(200, b"no gzip", Content_Encoding="gzip"), "DecodingError"),
    "an archive cut off": (answering(200, ARCHIVE[:-9], Content_Encoding="gzip"), "DecodingError"),
    "an archive without its sum": (answering(200, ARCHIVE[:-8], Content_Encoding="gzip"), "DecodingError"),
    "an archive with a wrong sum": (
        answering(200, ARCHIVE[:-8] + b"\0" * 8, Content_Encoding="gzip"),
        "DecodingError",
    ),
    "an archive in an archive": (
        answering(200, gzip.compress(ARCHIVE), Content_Encoding="gzip, gzip"),
        "UnknownEncoding",
    ),
    "two encodings in two headers": (
        saying(OK + b"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(ARCHIVE)),
        "UnknownEncoding",
    ),
    "a foreign encoding": (answering(200, ANSWER, Content_Encoding="br"), "UnknownEncoding"),
    "deflate": (answering(200, zlib.compress(ANSWER), Content_Encoding="deflate"), "UnknownEncoding"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_answer_that_cannot_be_read_to_its_end_keeps_its_status_alone(send, case):
    behave, detail = UNREADABLE[case]
    answer = send(behave, timeouts=QUICK if detail == "ReadTimeout" else PATIENT)
    assert (answer.status, answer.body, answer.complete) == (200, b"", False)
    assert (answer.failure, answer.detail) == (Failure.BROKEN, detail)
    assert read_answer(answer, ["1"]).meaning is Meaning.UNKNOWN


def test_a_refusal_that_cannot_be_read_to_its_end_is_a_refusal(send):
    """The status says that the request was not processed, whatever the words would have been."""
    answer = send(saying(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{"))
    assert (answer.status, answer.complete) == (401, False)
    assert read_answer(answer, ["1"]).meaning is Meaning.CREDENTIALS


@pytest.mark.parametrize("case", ["an archive of too much", "bytes without an end after an archive"])
def test_what_an_answer_unfolds_to_never_fills_the_memory(server, case):
    """The limit, what a growing array needs beside it, and a chunk."""
    server.start(UNREADABLE[case][0])
    tracemalloc.start()
    try:
        send_once(server.base_url)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * MAX_ANSWER_BYTES


# Odd, and read all the same.

READ = {
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + ANSWER,
    "HTTP/1.0 that keeps the connection": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
    b"Content-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER,
    "the end of the connection": OK + b"Connection: close\r\n\r\n" + ANSWER,
    "interim answers first": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    + OK
    + b"\r\n"
    + ANSWER,
    "no reason": b"HTTP/1.1 200\r\n\r\n" + ANSWER,
    "chunks with extensions and trailers": CHUNKED
    + b"1;a=b\r\n[\r\n%x\r\n%s\r\n0\r\nX-A: b\r\n\r\n" % (len(ANSWER) - 1, ANSWER[1:]),
    "chunks and a length": OK
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(ANSWER), ANSWER),
    "an archive": PACKED + ARCHIVE,
    "an archive with something after it": PACKED + ARCHIVE + b"\r\n",
    "an archive that says so loudly": OK + b"Content-Encoding: GZIP\r\n\r\n" + ARCHIVE,
    "headers that are no text": OK
    + b"X-A: \xff\xfe\r\nSet-Cookie: \xff;=;\x80\r\nDate: \xe9\r\n\r\n"
    + ANSWER,
}


@pytest.mark.parametrize("case", READ)
def test_an_odd_answer_that_is_whole_is_read(send, case):
    answer = send(saying(READ[case]))
    assert (answer.status, answer.body, answer.failure) == (200, ANSWER, None)
    assert answer.complete


def test_a_compressed_answer_without_a_body_is_empty(send):
    answer = send(answering(204, Content_Encoding="gzip"))
    assert (answer.status, answer.body, answer.complete) == (204, b"", True)


def test_an_answer_of_16_mib_is_still_read(send):
    answer = send(answering(200, LARGEST))
    assert answer.complete
    assert answer.body == LARGEST


def test_a_longer_answer_than_promised_ends_where_it_promised(send):
    answer = send(saying(OK + b"Content-Length: 10\r\n\r\n" + ANSWER))
    assert answer.body == ANSWER[:10]
    assert read_answer(answer, ["1"]).meaning is Meaning.UNKNOWN


def test_a_refusal_before_the_body_was_read_is_read(server):
    """A server that turns a large body away at its first bytes has not processed it."""

    def behave(wire):
        wire.read_byte()
        wire.answer(413)
        while wire.read_byte(65536):
            pass

    server.start(behave)
    answer = send_once(server.base_url, b" " * 8_000_000)
    assert (answer.status, answer.complete) == (413, True)
    assert read_answer(answer, ["1"]).meaning is Meaning.REFUSED_WHOLE
