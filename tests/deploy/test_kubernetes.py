"""The Kubernetes manifests, held against the published schemas, the image and our own settings."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from typer.main import get_command

from cli.main import app
from gateway.settings import GatewaySettings
from services.messaging.settings import MessagingSettings
from shared.settings import SCHEMAS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/kubernetes"
VERSIONS = ("1.30", kubernetes_validate.latest_version())
DOCUMENTS = [
    document
    for file in sorted(FOLDER.glob("*.yaml"))
    if file.name != "kustomization.yaml"
    for document in yaml.safe_load_all(file.read_text())
]
PARTS = {part.replace("_", "-"): part for part in SCHEMAS}


def of_kind(kind: str) -> list[dict]:
    return [document for document in DOCUMENTS if document["kind"] == kind]


def named(document: dict) -> str:
    return f"{document['kind']}/{document['metadata']['name']}"


DEPLOYMENTS = of_kind("Deployment")
WORKLOADS = [*DEPLOYMENTS, *of_kind("Job")]
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=named)
each_deployment = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=named)
each_workload = pytest.mark.parametrize("workload", WORKLOADS, ids=named)


def pod(workload: dict) -> dict:
    return workload["spec"]["template"]["spec"]


def container(workload: dict) -> dict:
    [only] = pod(workload)["containers"]
    return only


def selects(selector: dict, labels: dict) -> bool:
    return selector.items() <= labels.items()


def labels_of(workload: dict) -> dict:
    return workload["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize("version", VERSIONS)
@each_document
def test_it_is_valid_by_the_published_schema(document: dict, version: str):
    kubernetes_validate.validate(document, version, strict=True)


def test_every_file_is_applied():
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    files = {file.name for file in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files
    assert {image["name"] for image in kustomization["images"]} == {
        container(workload)["image"] for workload in WORKLOADS
    }


def test_every_part_has_an_api_and_a_worker():
    names = {deployment["metadata"]["name"] for deployment in DEPLOYMENTS}
    assert names == set(PARTS) | {f"{part}-worker" for part in PARTS}


@each_workload
def test_it_runs_a_command_that_exists(workload: dict):
    command, *arguments = container(workload)["args"]
    context = get_command(app).commands[command].make_context(command, arguments)
    part = workload["metadata"]["labels"].get("careloop/part")
    assert context.params["part"] == (PARTS[part] if part else "all")
    assert context.params.get("host", "0.0.0.0") == "0.0.0.0"
    port = context.params.get("port") or context.params.get("status_port")
    assert [port] == [each["containerPort"] for each in container(workload).get("ports", [])] or (
        port is None
    )


@each_workload
def test_it_can_do_little_harm(workload: dict):
    security, own = pod(workload)["securityContext"], container(workload)["securityContext"]
    assert security["runAsNonRoot"] is True
    assert f"--uid {security['runAsUser']}" in (ROOT / "Dockerfile").read_text()
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["readOnlyRootFilesystem"] is True
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert pod(workload)["automountServiceAccountToken"] is False
    assert container(workload)["resources"]["limits"]["memory"]
    assert container(workload)["resources"]["requests"]["cpu"]


@each_deployment
def test_it_is_watched_and_ends_in_peace(deployment: dict):
    own, name = container(deployment), deployment["metadata"]["name"]
    assert own["startupProbe"]["httpGet"]["path"] == "/healthz"
    assert own["livenessProbe"]["httpGet"]["path"] == "/healthz"
    grace = pod(deployment)["terminationGracePeriodSeconds"]
    if name.endswith("-worker"):
        assert grace >= 60
    else:
        assert own["readinessProbe"]["httpGet"]["path"] == "/readyz"
        # Draining, and what the server then waits for, must fit in.
        drain = GatewaySettings.model_fields["drain_seconds"].default
        assert own["lifecycle"]["preStop"]["sleep"]["seconds"] + drain + 10 < grace
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@each_deployment
def test_it_scales_and_is_not_drained_away(deployment: dict):
    name, labels = deployment["metadata"]["name"], labels_of(deployment)
    [budget] = [
        each
        for each in of_kind("PodDisruptionBudget")
        if selects(each["spec"]["selector"]["matchLabels"], labels)
    ]
    assert budget["spec"]["maxUnavailable"] == 1
    [scaler] = [
        each
        for each in of_kind("HorizontalPodAutoscaler")
        if each["spec"]["scaleTargetRef"]["name"] == name
    ]
    external = [m["external"]["metric"] for m in scaler["spec"]["metrics"] if "external" in m]
    if name.endswith("-worker"):
        part = PARTS[name.removesuffix("-worker")]
        assert external == [
            {
                "name": "careloop_queue_oldest_job_seconds",
                "selector": {"matchLabels": {"part": part}},
            }
        ]
    else:
        assert external == []
        assert scaler["spec"]["minReplicas"] >= 2


def test_the_adapter_tells_what_the_autoscalers_ask_for():
    adapter = yaml.safe_load((ROOT / "deploy/prometheus/adapter.yml").read_text())
    told = {rule["name"]["as"] for rule in adapter["rules"]["external"]}
    asked = {
        metric["external"]["metric"]["name"]
        for scaler in of_kind("HorizontalPodAutoscaler")
        for metric in scaler["spec"]["metrics"]
        if "external" in metric
    }
    assert asked == told


@pytest.mark.parametrize("service", of_kind("Service"), ids=named)
def test_a_service_reaches_one_deployments_pods(service: dict):
    reached = [d for d in DEPLOYMENTS if selects(service["spec"]["selector"], labels_of(d))]
    assert [d["metadata"]["name"] for d in reached] == [service["metadata"]["name"]]
    names = {port["name"] for port in container(reached[0])["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= names


def test_the_gateway_finds_every_service():
    [config] = of_kind("ConfigMap")
    services = {service["metadata"]["name"] for service in of_kind("Service")}
    for part in set(SCHEMAS) - {"gateway"}:
        host = part.replace("_", "-")
        assert host in services
        assert config["data"][f"CARELOOP_UPSTREAM_{part.upper()}"] == f"http://{host}:8080"


def test_every_setting_is_one_of_ours():
    [config] = of_kind("ConfigMap")
    given = set(config["data"]) | {
        variable["name"] for workload in WORKLOADS for variable in container(workload)["env"]
    }
    known = {"DATABASE_URL", "REDIS_URL"} | {
        f"CARELOOP_{name.upper()}"
        for settings in (GatewaySettings, MessagingSettings)
        for name in settings.model_fields
    }
    assert {name for name in given - known if not name.startswith("OTEL_")} == set()


@each_workload
def test_only_the_migration_knows_the_administrator(workload: dict):
    secrets = {
        variable["valueFrom"]["secretKeyRef"]["name"]
        for variable in container(workload)["env"]
        if variable["name"] == "DATABASE_URL"
    }
    assert secrets == ({"careloop-admin"} if workload["kind"] == "Job" else set())
    [config] = of_kind("ConfigMap")
    assert "@" not in config["data"]["DATABASE_URL"]


def test_the_outside_reaches_the_gateway_and_no_metrics():
    [ingress] = of_kind("Ingress")
    [rule] = ingress["spec"]["rules"]
    paths = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert set(paths.values()) == {"gateway"}
    assert not any("/metrics".startswith(path) for path in paths)


def test_nobody_but_the_gateway_speaks_to_a_service():
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in of_kind("NetworkPolicy")}
    nothing = policies["careloop-nothing"]
    assert set(nothing["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in nothing
    for deployment in DEPLOYMENTS:
        assert selects(nothing["podSelector"]["matchLabels"], labels_of(deployment))
    [source] = policies["careloop-services"]["ingress"][0]["from"]
    callers = [
        deployment["metadata"]["name"]
        for deployment in DEPLOYMENTS
        if selects(source["podSelector"]["matchLabels"], labels_of(deployment))
    ]
    assert callers == ["gateway"]


def test_the_migration_comes_first():
    first = [d for d in DOCUMENTS if d["metadata"].get("labels", {}).get("careloop/phase")]
    assert {d["kind"] for d in first} == {"ConfigMap", "ServiceAccount", "Job"}
