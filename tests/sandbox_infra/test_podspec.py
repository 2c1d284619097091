from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.api.kinds import Obj
from sandbox.layout import Profile
from sandbox.pods import programs, spec
from sandbox.pods.programs import MemberRuntime, PodLocation
from tests.sandbox_infra.objects import pod

DATA: dict[tuple[str, str], dict[str, bytes]] = {
    ("ConfigMap", "conf"): {"hazelcast.yaml": b"hazelcast: {}", "level": b"7"},
    ("Secret", "key"): {"token": b"s3"},
}


def lookup(kind: spec.DataKind, name: str) -> dict[str, bytes] | None:
    return DATA.get((kind, name))


def _pod(container: Obj, **spec: object) -> Obj:
    return pod("hz-0", "ns", metadata={"uid": "u-1"}, spec={"containers": [container], **spec})


def test_variables_expand_those_defined_before_them() -> None:
    container: Obj = {
        "name": "m",
        "env": [
            {"name": "EARLY", "value": "$(POD_NAME)"},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "OPTS", "value": "-Dname=$(POD_NAME) -Dmoney=$$(POD_NAME) -Dother=$(NONE)"},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "level"}}},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "key", "key": "token"}}},
            {"name": "ABSENT", "valueFrom": {"secretKeyRef": {"name": "no", "key": "x", "optional": True}}},
        ],
    }

    env = spec.environment(container, _pod(container), "127.9.0.1", lookup)

    assert env == {
        "EARLY": "$(POD_NAME)",
        "POD_NAME": "hz-0",
        "OPTS": "-Dname=hz-0 -Dmoney=$(POD_NAME) -Dother=$(NONE)",
        "IP": "127.9.0.1",
        "LEVEL": "7",
        "TOKEN": "s3",
    }


def test_a_missing_secret_is_named() -> None:
    container: Obj = {"name": "m", "env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "no", "key": "x"}}}]}

    with pytest.raises(spec.MissingError, match='secret "no" not found'):
        spec.environment(container, _pod(container), "127.9.0.1", lookup)


def test_volumes_are_written_as_folders(tmp_path: Path) -> None:
    volumes = [
        {"name": "config", "configMap": {"name": "conf", "items": [{"key": "level", "path": "sub/level.txt"}]}},
        {"name": "secret", "secret": {"secretName": "key"}},
        {"name": "tmp", "emptyDir": {}},
    ]

    spec.write_volumes(_pod({"name": "m"}, volumes=volumes), tmp_path, lookup)

    assert (tmp_path / "config/sub/level.txt").read_text() == "7"
    assert not (tmp_path / "config/hazelcast.yaml").exists()
    assert (tmp_path / "secret/token").read_bytes() == b"s3"
    assert (tmp_path / "tmp").is_dir()


def test_a_missing_config_map_is_named(tmp_path: Path) -> None:
    volumes = [{"name": "config", "configMap": {"name": "no"}}]

    with pytest.raises(spec.MissingError, match='configmap "no" not found'):
        spec.write_volumes(_pod({"name": "m"}, volumes=volumes), tmp_path, lookup)


def test_only_paths_inside_volumes_are_replaced(tmp_path: Path) -> None:
    container = {"volumeMounts": [{"name": "c", "mountPath": "/config"}, {"name": "t", "mountPath": "/config/tls/"}]}

    text = spec.local_paths("-Da=/config/h.yaml -Db=/config/tls/k -Dc=/configs/x -Dd=/x/config", container, tmp_path)

    assert text == f"-Da={tmp_path}/c/h.yaml -Db={tmp_path}/t/k -Dc=/configs/x -Dd=/x/config"


def test_a_checkout_below_a_mount_path() -> None:
    """Such as a checkout under /tmp, where a pod mounts a volume."""
    container = {"volumeMounts": [{"name": "c", "mountPath": "/config"}, {"name": "t", "mountPath": "/data"}]}
    folder = Path("/data/sandbox/config")

    text = spec.local_paths("-Da=/config/h.yaml -Db=/data/k", container, folder)

    assert text == "-Da=/data/sandbox/config/c/h.yaml -Db=/data/sandbox/config/t/k"
    assert spec.local_paths("/config/x", {}, folder) == "/config/x"


def test_probes_find_their_port_by_name() -> None:
    container: Obj = {
        "name": "m",
        "ports": [{"name": "health", "containerPort": 8081}, {"containerPort": 5701}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "health"}, "periodSeconds": 1},
        "startupProbe": {"tcpSocket": {"port": 5701}},
    }
    named = spec.ports(_pod(container))

    ready, start = (spec.probe(container, "readinessProbe", named), spec.probe(container, "startupProbe", named))

    assert ready is not None
    assert start is not None
    assert named == {"health": 8081, "5701": 5701}
    assert (ready.port, ready.path, ready.period, ready.failures) == (8081, "/ready", 1, 3)
    assert (start.port, start.path, start.period) == (5701, None, 10)
    assert spec.probe({"name": "m"}, "readinessProbe", named) is None


def test_a_member_is_started_with_the_pods_own_options(tmp_path: Path) -> None:
    container: Obj = {"name": "m", "volumeMounts": [{"name": "config", "mountPath": "/config"}]}
    env = {"JAVA_OPTS": "-Dhazelcast.config=/config/hazelcast.yaml -DadvertiseName=hazelcast-0 -Xmx2g"}
    location = PodLocation(tmp_path, "127.9.0.3")

    launch = programs.member(container, env, location, MemberRuntime("/usr/bin/java", Path("/jar"), "fast"))

    argv = list(launch.argv)
    assert f"-Dhazelcast.config={location.volumes}/config/hazelcast.yaml" in argv
    assert "-DadvertiseName=hazelcast-0" in argv
    assert "-Dhazelcast.local.localAddress=127.9.0.3" in argv
    assert argv.index("-Xmx128m") > argv.index("-Xmx2g")


@pytest.mark.parametrize(
    ("config", "profile", "hurried"),
    [
        ("hazelcast: {advanced-network: {enabled: true}}", "fast", True),
        ("hazelcast: {advanced-network: {enabled: true}}", "measured", False),
        ("hazelcast: {network: {}}", "fast", False),
        ("hazelcast: {advanced-network: {join: {tcp-ip: {enabled: true}}}}", "fast", False),
    ],
)
def test_only_the_fast_profile_shortens_joining(tmp_path: Path, config: str, profile: Profile, hurried: bool) -> None:
    location = PodLocation(tmp_path, "127.9.0.3")
    (tmp_path / "h.yaml").write_text(config)
    env = {"JAVA_OPTS": f"-Dhazelcast.config={tmp_path}/h.yaml"}

    launch = programs.member({"name": "m"}, env, location, MemberRuntime("/usr/bin/java", Path("/jar"), profile))

    assert any("connection-timeout-seconds" in option for option in launch.argv) == hurried
    assert any("wait.seconds.before.join" in option for option in launch.argv) == (profile == "fast")


def test_a_member_without_a_configuration_does_not_search_for_others(tmp_path: Path) -> None:
    location = PodLocation(tmp_path, "127.9.0.3")

    launch = programs.member({"name": "m"}, {}, location, MemberRuntime("/usr/bin/java", Path("/jar"), "measured"))

    config = next(a.partition("=")[2] for a in launch.argv if a.startswith("-Dhazelcast.config="))
    assert "multicast: {enabled: false}" in Path(config).read_text()


def test_management_center_gets_its_configuration_from_mc_init_cmd(tmp_path: Path) -> None:
    container: Obj = {"name": "m", "volumeMounts": [{"name": "config", "mountPath": "/config"}]}
    env = {"MC_INIT_CMD": "./bin/hz-mc conf cluster add --lenient=true -H /data -cc /config/hazelcast-client.yaml"}
    location = PodLocation(tmp_path, "127.9.0.3")

    launch = programs.mancenter(container, env, location, MemberRuntime(None, None, "fast"))

    argv = list(launch.argv)
    assert argv[argv.index("--config") + 1] == f"{location.volumes}/config/hazelcast-client.yaml"


@pytest.mark.parametrize(
    ("label", "image", "app"),
    [
        ("hazelcast", "x", "member"),
        ("", "hazelcast/hazelcast:5.5.0", "member"),
        ("", "registry.example:5000/hazelcast/hazelcast-enterprise@sha256:00", "member"),
        ("", "hazelcast/management-center:5.5.2", "none"),
        ("", "example/not-hazelcast:1", "none"),
        ("hazelcast-mancenter", "hazelcast/hazelcast:5.5.0", "mancenter"),
        ("orders-mancenter", "hazelcast/management-center:5.5.2", "mancenter"),
    ],
)
def test_programs_by_label_or_image(label: str, image: str, app: str) -> None:
    pod = {"metadata": {"labels": {"app": label}}, "spec": {"containers": [{"image": image}]}}
    assert programs.app_of(pod) == app
