import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.sandbox.app import serve

CLIENT = "atlas-client"


@pytest.fixture
def running(platform):
    with serve(platform) as running:
        yield running


@pytest.fixture
def http(running):
    with httpx.Client(base_url=f"http://127.0.0.1:{running.port}", timeout=20) as client:
        yield client


@pytest.fixture
def send(signed):
    def send(client, records, **given):
        request = signed(records, **given)
        return client.request(
            request.method, request.path, headers=dict(request.headers), content=request.body
        )

    return send


def wait_until_held(http, count):
    while len(held := http.get("/sandbox/state").json()["held"]) < count:
        pass
    return held


def on_the_wire(request):
    named = {"host": "x", "content-length": len(request.body), **request.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST {request.path} HTTP/1.1\r\n{head}\r\n".encode() + request.body


def test_both_webhooks_are_answered_over_http(running, http, send, order, update):
    assert running.base_url == f"http://127.0.0.1:{running.port}/api/webhook"
    assert send(http, [order("A")]).json()[0]["internal_id"] == "PLT-56789"
    answer = send(http, [update("A")], path="/api/webhook/orders/tracking")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()[0]["message"] == "Order updated successfully"


def test_a_free_port_lies_below_those_of_outgoing_connections(running):
    assert 20_000 <= running.port < 32_000


def test_a_port_that_is_taken_is_named(running, make_platform):
    with (
        pytest.raises(SettingsError, match=f"port {running.port} is taken"),
        serve(make_platform(), port=running.port),
    ):
        pass


def test_only_this_machine_is_listened_to(running):
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", running.port)) != 0


@pytest.mark.parametrize("fault", ["lost_answer:1", "lost_request:1"])
def test_a_cut_connection_ends_without_a_single_byte(running, http, signed, order, fault):
    http.post("/sandbox/faults", json={"faults": [fault]})
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(on_the_wire(signed([order("A")])))
        assert connection.recv(100) == b""
    known = [each["order_id"] for each in http.get("/sandbox/state").json()["orders"]]
    assert known == (["A"] if fault == "lost_answer:1" else [])


def test_a_cut_connection_is_a_transport_error_to_httpx_and_the_next_request_works(http, send, order, caplog):
    http.post("/sandbox/faults", json={"faults": ["lost_answer:1"]})
    with pytest.raises(httpx.TransportError):
        send(http, [order("A")])
    assert send(http, [order("A")]).json()[0]["internal_id"] == "PLT-56789"
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


@pytest.mark.parametrize("faults", [["nope"], ["echo:0"], 7, None])
def test_faults_that_mean_nothing_are_refused(http, faults):
    assert http.post("/sandbox/faults", json={"faults": faults}).status_code == 422
    assert http.post("/sandbox/faults", content=b"{").status_code == 422


def test_the_state_shows_orders_requests_and_faults_but_no_phone(http, send, order):
    send(http, [order("A"), order("B")])
    http.post("/sandbox/faults", json={"faults": ["partly"]})
    answer = http.get("/sandbox/state")
    state = answer.json()
    assert [each["internal_id"] for each in state["orders"]] == ["PLT-56789", "PLT-56790"]
    assert [(each["number"], each["kind"], each["ids"], each["status"]) for each in state["requests"]] == [
        (1, "orders", ["A", "B"], 200)
    ]
    assert state["faults"] == ["partly"]
    assert state["held"] == []
    assert "0685123456" not in answer.text


def test_held_answers_are_processed_and_arrive_after_the_release(http, send, order):
    http.post("/sandbox/hold")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(send, http, [order("A")])
        assert wait_until_held(http, 1) == [
            {"stage": "answer", "kind": "orders", "client_id": CLIENT, "ids": ["A"]}
        ]
        assert [each["order_id"] for each in http.get("/sandbox/state").json()["orders"]] == ["A"]
        assert not waiting.done()
        http.post("/sandbox/release")
        assert waiting.result().json()[0]["internal_id"] == "PLT-56789"


def test_held_requests_are_processed_only_after_the_release(http, send, order):
    http.post("/sandbox/hold-requests")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(send, http, [order("A")])
        assert wait_until_held(http, 1)[0]["stage"] == "request"
        assert http.get("/sandbox/state").json()["orders"] == []
        http.post("/sandbox/release")
        assert waiting.result().status_code == 200


def test_a_held_request_is_processed_although_its_sender_is_gone(http, signed, order, running):
    """It had been received in full: what a killed run has sent may still arrive (delivery.md, rule 12)."""
    http.post("/sandbox/hold-requests")
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(on_the_wire(signed([order("A")])))
        wait_until_held(http, 1)
    http.post("/sandbox/release")
    while not http.get("/sandbox/state").json()["orders"]:
        pass
    assert set(running.platform.orders(CLIENT)) == {"A"}


def test_the_end_of_the_server_cuts_what_is_held_unprocessed(platform, signed, order):
    failures = []

    def post(client, request):
        try:
            client.post(request.path, headers=dict(request.headers), content=request.body)
        except httpx.TransportError as failure:
            failures.append(failure)

    with httpx.Client(timeout=20) as client:
        with serve(platform) as running:
            client.base_url = f"http://127.0.0.1:{running.port}"
            client.post("/sandbox/hold-requests")
            sender = threading.Thread(target=post, args=(client, signed([order("A")])))
            sender.start()
            wait_until_held(client, 1)
        sender.join()
    assert len(failures) == 1
    assert platform.orders(CLIENT) == {}


def test_requests_from_many_threads_are_all_answered(http, send, order, running):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: send(http, [order(number)]), range(80)))
    assert {each.status_code for each in answers} == {200}
    internal_ids = {each["internal_id"] for each in running.platform.orders(CLIENT).values()}
    assert internal_ids == {f"PLT-{56789 + number}" for number in range(80)}


def test_a_state_file_brings_the_orders_back(make_platform, send, order, tmp_path):
    state_file = tmp_path / "new" / "sandbox.json"
    for processed in (1, 2):
        platform = make_platform()
        with (
            serve(platform, state_file=state_file) as running,
            httpx.Client(base_url=f"http://127.0.0.1:{running.port}") as client,
        ):
            assert send(client, [order("A")]).json()[0]["internal_id"] == "PLT-56789"
        assert platform.orders(CLIENT)["A"]["processed"] == processed
    assert [path.name for path in state_file.parent.iterdir()] == ["sandbox.json"]
    assert "0685123456" not in state_file.read_text(encoding="utf-8")


def test_the_state_is_written_before_the_answer_leaves(make_platform, send, order, tmp_path):
    state_file = tmp_path / "sandbox.json"
    with (
        serve(make_platform(), state_file=state_file) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{running.port}", timeout=20) as client,
        ThreadPoolExecutor() as pool,
    ):
        client.post("/sandbox/hold")
        waiting = pool.submit(send, client, [order("A")])
        wait_until_held(client, 1)
        assert json.loads(state_file.read_text(encoding="utf-8"))["orders"][0]["order_id"] == "A"
        client.post("/sandbox/release")
        waiting.result()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"version": 0}', "null"])
def test_a_damaged_state_file_is_named_with_a_remedy(make_platform, tmp_path, text):
    state_file = tmp_path / "sandbox.json"
    state_file.write_text(text)
    with (
        pytest.raises(SettingsError, match=r"sandbox\.json is no state"),
        serve(make_platform(), state_file=state_file),
    ):
        pass


def test_nothing_is_logged_about_requests(http, send, order, caplog):
    caplog.set_level(logging.DEBUG, logger="uvicorn")
    send(http, [order("A")])
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")]
    assert logged == []


def test_run_serves_until_ctrl_c():
    script = (
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits to ignore it\n"
        "from leaddone_pipeline.sandbox import Platform\n"
        "from leaddone_pipeline.sandbox.app import run\n"
        "run(Platform(credentials={'c': 's'}), on_ready=lambda r: print(r.base_url, flush=True))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        base_url = process.stdout.readline().strip()
        assert httpx.post(f"{base_url}/orders", content=b"[]").status_code == 401
        os.kill(process.pid, signal.SIGINT)
        _, complaints = process.communicate(timeout=20)
    assert (process.returncode, complaints) == (0, "")


def test_without_the_extra_the_remedy_is_named():
    script = (
        "import sys\n"
        "sys.modules['uvicorn'] = None\n"
        "from leaddone_pipeline.errors import SettingsError\n"
        "import leaddone_pipeline.testing\n"
        "try:\n"
        "    import leaddone_pipeline.sandbox.app\n"
        "except SettingsError as error:\n"
        "    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "pip install 'leaddone-pipeline[sandbox]'" in told.stdout
