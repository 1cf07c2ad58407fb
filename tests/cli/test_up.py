"""`careloop up` as real processes, from nothing to serving, stopping, dying and coming back."""

import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cli.demo.payloads import Shopper, shopify_order_created
from cli.embedded.processes import wait_until
from cli.ports import LOOPBACK, free_port, is_taken
from tests.cli.supervisor import Supervisor, careloop, living, user_environment

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="looks for left-over processes in /proc"
)


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    """One folder for the module; its path has a space and letters beyond ASCII."""
    folder = tmp_path_factory.mktemp("up") / "cửa hàng của tôi"
    folder.mkdir()
    supervisor = Supervisor(folder, free_port())
    yield supervisor
    supervisor.stop()


@pytest.fixture
def serving(household: Supervisor) -> Supervisor:
    """The supervisor of the module, serving."""
    household.ensure_serving()
    return household


@pytest.fixture
def http(serving: Supervisor) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serving.base_url, timeout=10, trust_env=False) as client:
        yield client


def port_of(supervisor: Supervisor) -> int:
    return int(supervisor.environment["CARELOOP_PORT"])


def test_the_demo_file_is_private_and_has_what_a_client_needs(serving: Supervisor) -> None:
    file = serving.home / "demo.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    demo = serving.demo()
    assert demo.keys() == {"base_url", "api_key", "owner", "tenant_id", "connections"}
    assert demo["base_url"] == serving.base_url
    assert demo["owner"].keys() == {"email", "password"}
    assert [c["platform"] for c in demo["connections"]] == ["shopify", "woocommerce"]
    assert all(c.keys() == {"platform", "id", "secret"} for c in demo["connections"])


def test_no_secret_of_the_installation_is_open_to_others(serving: Supervisor) -> None:
    secrets = [*serving.home.glob("*.password"), serving.home / "secrets.json"]
    assert len(secrets) == 3
    assert [stat.S_IMODE(file.stat().st_mode) for file in secrets] == [0o600] * 3


def test_the_printed_credentials_work(serving: Supervisor, http: httpx.Client) -> None:
    demo = serving.demo()
    for told in (demo["api_key"], demo["owner"]["password"], f"{serving.base_url}/docs"):
        assert told in serving.output()
    bearer = {"Authorization": f"Bearer {demo['api_key']}"}
    found = http.get("/v1/customers", params={"q": "tran van hung"}, headers=bearer)
    assert [customer["name"] for customer in found.json()["data"]] == ["Trần Văn Hùng"]
    session = http.post("/v1/auth/login", json=demo["owner"])
    assert session.is_success
    staff = {"Authorization": f"Bearer {session.json()['access_token']}"}
    me = http.get("/v1/auth/me", headers=staff).json()
    assert me["staff"]["email"] == demo["owner"]["email"]
    assert http.get("/v1/customers").status_code == 401


def test_the_documentation_answers(http: httpx.Client) -> None:
    page = http.get("/docs")
    assert page.is_success
    assert page.headers["content-type"].startswith("text/html")
    document = http.get("/openapi.json").json()
    assert {"/v1/customers", "/v1/segments", "/v1/tickets", "/v1/messages"} <= document[
        "paths"
    ].keys()


def test_a_delivery_signed_with_the_demo_secret_becomes_a_customer(
    serving: Supervisor, http: httpx.Client
) -> None:
    demo = serving.demo()
    shopify = next(c for c in demo["connections"] if c["platform"] == "shopify")
    shopper = Shopper(email="first.delivery@example.com", shopify_id=4711)
    order = shopify_order_created(shopper, shopify["secret"], order_id=4711)
    path = f"/v1/hooks/shopify/{shopify['id']}"
    forged = http.post(path, content=order.body + b" ", headers=order.headers)
    assert forged.status_code == 401
    assert http.post(path, content=order.body, headers=order.headers).is_success
    bearer = {"Authorization": f"Bearer {demo['api_key']}"}

    def known() -> bool:
        page = http.get("/v1/customers", params={"q": shopper.email}, headers=bearer).json()
        return [customer["orders_count"] for customer in page["data"]] == [1]

    assert wait_until(known, timeout=10)


def test_ctrl_c_stops_everything_and_the_next_start_is_warm(serving: Supervisor) -> None:
    before = serving.demo()
    assert len(living(serving.pids)) == 5, "supervisor, API, worker, PostgreSQL, Valkey"
    serving.send(signal.SIGINT)
    assert serving.ends(seconds=30) == 0
    assert living(serving.pids) == set()
    assert serving.ensure_serving() < 20
    assert serving.demo() == before


def test_kill_9_and_start_again_works_at_once(serving: Supervisor) -> None:
    before = serving.demo()
    children = {serving.child("serve"), serving.child("worker")}
    serving.send(signal.SIGKILL)
    serving.ends(seconds=5)
    killed = serving.pids
    serving.ensure_serving()
    assert serving.demo() == before
    assert wait_until(lambda: not living(children), timeout=20), "they end by themselves"
    servers = killed & serving.pids
    assert len(servers) == 2, "PostgreSQL and Valkey ran on and were adopted"


def test_a_child_that_dies_is_told_and_ends_the_rest(serving: Supervisor) -> None:
    os.kill(serving.child("worker"), signal.SIGKILL)
    assert serving.ends(seconds=15) == 1
    assert "The worker process has ended by itself" in serving.output()
    assert living(serving.pids) == set()


def test_ctrl_c_during_the_start_leaves_nothing(household: Supervisor) -> None:
    household.stop()
    household.start()
    assert household.says("Starting API and worker", seconds=30), household.output()
    household.send(signal.SIGINT)
    assert household.ends(seconds=15) == 0
    assert not is_taken(port_of(household))
    assert not (household.home / "postgres" / "postmaster.pid").exists()


def test_a_taken_port_is_a_sentence_not_a_traceback(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        answer = careloop(
            "up", folder=tmp_path, environment=user_environment(CARELOOP_PORT=str(port))
        )
    assert answer.returncode == 1
    assert f"Port {port} is taken" in answer.stderr
    assert "CARELOOP_PORT" in answer.stderr
    assert "Traceback" not in answer.stderr
