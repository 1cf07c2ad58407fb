"""One description of the whole API."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi import FastAPI

from gateway.access.scopes import (
    GRANTABLE,
    LOYALTY_OWN,
    PRIVACY_OWN,
    PUBLIC_PAGES,
    REVIEWS_OWN,
    TENANTS_WRITE,
    TICKETS_OWN,
)
from gateway.app import create_app
from gateway.events.catalogue import PUBLIC_EVENTS, name_of
from gateway.openapi.merge import merge
from gateway.settings import GatewaySettings
from gateway.upstreams.owners import owner_of
from gateway.upstreams.upstream import HttpUpstream, InProcessUpstream
from services.customer.app import create_app as create_customer
from services.customer.settings import CustomerSettings
from services.messaging.app import create_app as create_messaging
from services.messaging.settings import MessagingSettings
from services.segmentation.app import create_app as create_segmentation
from services.segmentation.settings import SegmentationSettings
from services.support_ticket.app import create_app as create_support_ticket
from services.support_ticket.settings import SupportTicketSettings
from shared.settings import PartSettings
from tests.gateway.conftest import client_of

PROBLEM = {"Problem", "ProblemError"}
INFO = {"title": "t", "version": "1", "description": "d"}


def schema(**properties: str) -> dict[str, Any]:
    return {"type": "object", "properties": {k: {"type": v} for k, v in properties.items()}}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def document(path: str, answers: str, schemas: dict[str, Any], **operation: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": ref(answers)}}
    get = {"responses": {"200": {"description": "OK", "content": content}}, **operation}
    return {"paths": {path: {"get": get}}, "components": {"schemas": schemas}}


def merged(**documents: dict[str, Any]) -> dict[str, Any]:
    return merge(documents, owner_of=owner_of, info=INFO, servers=["http://x"])


def answer_of(merged: dict[str, Any], path: str) -> str:
    content = merged["paths"][path]["get"]["responses"]["200"]["content"]
    found: str = content["application/json"]["schema"]["$ref"]
    return found.rsplit("/", 1)[1]


class TestMerging:
    def test_the_same_schema_is_there_once(self) -> None:
        page = {"Page": {"properties": {"data": ref("Item")}}, "Item": schema(id="string")}
        both = merged(
            customer=document("/v1/customers", "Page", page),
            messaging=document("/v1/messages", "Page", json.loads(json.dumps(page))),
        )
        assert set(both["components"]["schemas"]) - PROBLEM == {"Page", "Item"}

    def test_schemas_that_differ_are_told_apart(self) -> None:
        both = merged(
            customer=document("/v1/customers", "Item", {"Item": schema(id="string")}),
            support_ticket=document("/v1/tickets", "Item", {"Item": schema(id="integer")}),
        )
        assert answer_of(both, "/v1/customers") == "Item"
        assert answer_of(both, "/v1/tickets") == "SupportTicketItem"
        properties = both["components"]["schemas"]["SupportTicketItem"]["properties"]
        assert properties == {"id": {"type": "integer", "format": "int64"}}

    def test_schemas_that_differ_only_in_what_they_refer_to_are_told_apart(self) -> None:
        page = {"properties": {"data": ref("Item")}}
        both = merged(
            customer=document("/v1/customers", "Page", {"Page": page, "Item": schema(id="string")}),
            messaging=document("/v1/messages", "Page", {"Page": page, "Item": schema(x="string")}),
        )
        assert answer_of(both, "/v1/messages") == "MessagingPage"
        inner = both["components"]["schemas"]["MessagingPage"]["properties"]["data"]
        assert inner == ref("MessagingItem")

    def test_pages_and_forms_are_called_as_a_person_would_call_them(self) -> None:
        schemas = {"Page_XRead_": {"properties": {"data": ref("XRead")}}, "XRead": schema()}
        one = document("/v1/customers", "Page_XRead_", schemas | {"answer": schema(score="string")})
        form = {"application/x-www-form-urlencoded": {"schema": ref("answer")}}
        one["paths"]["/v1/customers"]["post"] = {
            "operationId": "customers.answer",
            "requestBody": {"content": form},
            "responses": {},
        }
        names = set(merged(customer=one)["components"]["schemas"]) - PROBLEM
        assert names == {"XPage", "XRead", "CustomersAnswerForm"}

    def test_paths_of_others_and_what_only_they_need_are_left_out(self) -> None:
        schemas = {"Mine": schema(id="string"), "Secret": schema(id="string")}
        both = document("/v1/customers", "Mine", schemas)
        both["paths"]["/v1/tickets"] = document("/", "Secret", {})["paths"]["/"]
        both["paths"]["/internal"] = both["paths"]["/v1/tickets"]
        result = merged(customer=both)
        assert set(result["paths"]) == {"/v1/customers"}
        assert set(result["components"]["schemas"]) - PROBLEM == {"Mine"}

    def test_every_error_has_the_form_that_errors_have(self) -> None:
        schemas = {"X": schema(id="string"), "HTTPValidationError": schema(detail="array")}
        framework = {"application/json": {"schema": ref("HTTPValidationError")}}
        one = document("/v1/customers", "X", schemas)
        one["paths"]["/v1/customers"]["get"]["responses"]["422"] = {"content": framework}
        result = merged(customer=one)
        shared = result["components"]["responses"]
        stated = result["paths"]["/v1/customers"]["get"]["responses"]
        errors = {
            status: shared[response["$ref"].rpartition("/")[2]]
            for status, response in stated.items()
            if status != "200"
        }
        assert errors.keys() >= {"422", "429", "500", "503"}
        assert {tuple(error["content"]) for error in errors.values()} == {
            ("application/problem+json",)
        }
        assert errors["503"]["headers"]["Retry-After"]
        assert set(result["components"]["schemas"]) == {"X", "Problem", "ProblemError"}

    def test_only_errors_that_can_be_are_stated(self) -> None:
        schemas = {"X": schema(id="string")}
        scoped = {"x-required-scopes": ["customers:read"]}
        one = document("/v1/customers", "X", schemas, **scoped)
        stated = one["paths"]["/v1/customers"]["get"]["responses"]
        stated |= {status: {"description": "error"} for status in ("401", "404", "409", "412")}
        read = merged(customer=one)["paths"]["/v1/customers"]["get"]["responses"]
        assert "401" in read
        assert not {"404", "409", "412"} & read.keys()

    def test_who_needs_no_credential_is_told_so(self) -> None:
        schemas = {"X": schema(id="string")}
        scoped = {"x-required-scopes": ["customers:read"], "x-shopper-scopes": ["tickets:own"]}
        public = {"x-required-scopes": ["public:pages"]}
        result = merged(
            customer=document("/v1/customers", "X", schemas, **scoped),
            support_ticket=document("/pages/surveys/{token}", "X", schemas, **public),
        )
        needed = result["paths"]["/v1/customers"]["get"]["security"]
        assert needed == [{"bearer": ["customers:read"]}, {"bearer": ["tickets:own"]}]
        assert result["paths"]["/pages/surveys/{token}"]["get"]["security"] == []

    def test_versioned_objects_have_an_etag_and_new_ones_an_address(self) -> None:
        schemas = {"X": schema(id="string", version="integer")}
        item = "/v1/customers/{customer_id}"
        one = document(item, "X", schemas)
        guard = {"name": "If-Match", "in": "header", "schema": {"type": "string"}}
        one["paths"][item]["patch"] = {"parameters": [guard], "responses": {}}
        made = {"201": {"content": {"application/json": {"schema": ref("X")}}}}
        one["paths"]["/v1/customers"] = {"post": {"responses": made}}
        paths = merged(customer=one)["paths"]
        read = paths["/v1/customers/{customer_id}"]["get"]["responses"]["200"]["headers"]
        assert "ETag" in read
        assert "Location" not in read
        assert {"ETag", "Location"} <= paths["/v1/customers"]["post"]["responses"]["201"][
            "headers"
        ].keys()

    def test_an_answer_has_what_it_always_has(self) -> None:
        """A default makes a field optional for who sends it, not for who reads it."""
        kind = {"properties": {"object": {"const": "x", "default": "x"}, "id": {}, "rare": {}}}
        schemas = {"Read": {**kind, "required": ["id"]}, "Create": {**kind, "required": ["id"]}}
        one = document("/v1/customers", "Read", schemas)
        body = {"content": {"application/json": {"schema": ref("Create")}}}
        one["paths"]["/v1/customers"]["post"] = {"requestBody": body, "responses": {}}
        found = merged(customer=one)["components"]["schemas"]
        assert found["Read"]["required"] == ["object", "id"]
        assert found["Create"]["required"] == ["id"]

    def test_parameters_cannot_be_null(self) -> None:
        optional = {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}], "title": "Q"}
        q = {"name": "q", "in": "query", "schema": {**optional, "default": None}}
        one = document("/v1/customers", "X", {"X": schema(id="string")}, parameters=[q])
        parameters = merged(customer=one)["paths"]["/v1/customers"]["get"]["parameters"]
        assert parameters[0]["schema"] == {"type": "string", "maxLength": 3}


class TestServing:
    async def test_the_gateways_own_operations_are_described(
        self, anybody: httpx.AsyncClient
    ) -> None:
        answer = await anybody.get("/openapi.json")
        assert answer.status_code == 200
        paths = answer.json()["paths"]
        assert paths["/v1/staff"]["post"]["operationId"] == "staff.create"
        assert paths["/v1/staff"]["post"]["x-required-scopes"] == ["staff:write"]
        assert {"413", "415", "422", "401"} <= paths["/v1/staff"]["post"]["responses"].keys()
        parameters = paths["/v1/staff"]["post"]["parameters"]
        assert parameters == [{"$ref": "#/components/parameters/Idempotency-Key"}]
        assert paths["/v1/auth/login"]["post"]["security"] == []
        assert paths["/v1/hooks/{platform}/{connection_id}"]["post"]["security"] == []
        assert paths["/v1/jobs/{job_id}"]["get"]["operationId"] == "jobs.get"
        assert not any(path.startswith(("/healthz", "/docs", "/openapi")) for path in paths)

    async def test_a_part_that_never_answered_makes_it_unavailable(
        self, gateway_settings: GatewaySettings
    ) -> None:
        app = create_app(gateway_settings, {"customer": HttpUpstream("http://127.0.0.1:9")})
        async with app.router.lifespan_context(app), client_of(app) as client:
            answer = await client.get("/openapi.json")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")

    async def test_the_docs_need_no_other_host(self, anybody: httpx.AsyncClient) -> None:
        page = await anybody.get("/docs")
        assert page.status_code == 200
        assert "://" not in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
        for path in (
            "/docs/start.js",
            "/docs/static/swagger-ui-bundle.js",
            "/docs/static/swagger-ui.css",
        ):
            assert path in page.text
            assert (await anybody.get(path)).status_code == 200


@pytest.fixture(scope="session")
def services(gateway_settings: GatewaySettings) -> dict[str, FastAPI]:
    common = gateway_settings.model_dump(include=set(PartSettings.model_fields))
    common["_env_file"] = None
    return {
        "customer": create_customer(CustomerSettings(**common)),
        "segmentation": create_segmentation(SegmentationSettings(**common)),
        "support_ticket": create_support_ticket(SupportTicketSettings(**common)),
        "messaging": create_messaging(MessagingSettings(**common)),
    }


@pytest.fixture(scope="session")
async def whole(gateway_settings: GatewaySettings, services: dict[str, FastAPI]) -> dict[str, Any]:
    app = create_app(
        gateway_settings, {name: InProcessUpstream(app) for name, app in services.items()}
    )
    async with app.router.lifespan_context(app), client_of(app) as client:
        answer: dict[str, Any] = (await client.get("/openapi.json")).json()
    return answer


class TestDocument:
    """The whole document, with the real services behind the gateway."""

    def test_every_operation_of_every_service_is_in_it(
        self, whole: dict[str, Any], services: dict[str, FastAPI]
    ) -> None:
        for name, app in services.items():
            described = app.openapi()["paths"]
            assert described, name
            for path, item in described.items():
                assert path in whole["paths"], f"{name}: {path} is nobody's, see owners.py"
                assert item.keys() <= whole["paths"][path].keys()

    def test_every_scope_that_is_asked_for_can_be_had(self, whole: dict[str, Any]) -> None:
        of_shoppers = {TICKETS_OWN, LOYALTY_OWN, PRIVACY_OWN, REVIEWS_OWN}
        known = GRANTABLE | {TENANTS_WRITE, PUBLIC_PAGES, *of_shoppers}
        for place, operation in self.operations(whole):
            asked = operation.get("x-required-scopes", []) + operation.get("x-shopper-scopes", [])
            assert set(asked) <= known, place

    def test_what_endpoints_of_others_are_sent_is_described(self, whole: dict[str, Any]) -> None:
        types = {name_of(event) for event in PUBLIC_EVENTS}
        assert whole["webhooks"].keys() == types
        for name, item in whole["webhooks"].items():
            [sent] = item["post"]["requestBody"]["content"].values()
            schema = whole["components"]["schemas"][sent["schema"]["$ref"].rsplit("/", 1)[1]]
            assert schema["properties"]["type"]["const"] == name

    def operations(self, whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, item in whole["paths"].items():
            for method, operation in item.items():
                yield f"{method} {path}", operation

    def test_every_operation_has_a_name_of_its_own_and_a_docstring(
        self, whole: dict[str, Any]
    ) -> None:
        named = [operation["operationId"] for _, operation in self.operations(whole)]
        assert len(named) == len(set(named))
        for place, operation in self.operations(whole):
            assert operation.get("description"), place

    def test_every_reference_leads_somewhere(self, whole: dict[str, Any]) -> None:
        text = json.dumps(whole)
        for part in text.split("#/components/schemas/")[1:]:
            assert part.split('"')[0] in whole["components"]["schemas"]

    def test_every_schema_has_a_name_of_its_own(self, whole: dict[str, Any]) -> None:
        """None had to be told apart by its part or its module, and none is the framework's."""
        parts = ("Customer", "Segmentation", "SupportTicket", "Messaging")
        names = whole["components"]["schemas"].keys()
        odd = {name for name in names if not name[0].isupper() or "_" in name}
        told_apart = {n for n in names for part in parts if n.removeprefix(part) in names - {n}}
        assert odd | told_apart == set()

    def test_every_group_of_operations_is_described(self, whole: dict[str, Any]) -> None:
        assert [tag["name"] for tag in whole["tags"] if not tag.get("description")] == []

    def test_every_schema_is_a_schema(self, whole: dict[str, Any]) -> None:
        for name, each in whole["components"]["schemas"].items():
            jsonschema.Draft202012Validator.check_schema(each), name
