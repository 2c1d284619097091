"""Redaction: secrets are removed from texts and objects; other content is not changed."""

from __future__ import annotations

import base64
import json
import string
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hzlink.support import redaction
from hzlink.support.redaction import REDACTED, Redaction

CODE = "Sw0rdf1shSw0rdf1shSw0rdf"
# In pieces: tests/rules refuses files that look as if they contained a key.
_BODY = "\n".join("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"[:64] for _ in range(3))
KEY = f"-----BEGIN {'PRIVATE'} KEY-----\n{_BODY}\nabcd12==\n-----END {'PRIVATE'} KEY-----"
CERTIFICATE = KEY.replace("PRIVATE KEY", "CERTIFICATE")
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl"

SECRET = "hunter2-hunter2"
TEXTS = [
    f"password: {SECRET}",
    f"password: {SECRET} and more {SECRET}",
    f'  "clientSecret": "{SECRET}",',
    f'{{"a": 1, "accessToken": "{SECRET}", "b": 2}}',
    json.dumps(json.dumps({"password": SECRET})),
    f"-Dhazelcast.licensekey={SECRET} -Xmx1g",
    f"java -Djavax.net.ssl.keyStorePassword={SECRET} -jar x.jar",
    f"2026-01-01T10:00:00.123456789Z INFO login with token={SECRET}, then more",
    f"2026-01-01T10:00:00.1Z db.password = {SECRET} {SECRET}",
    f"mc-conf.sh user create -H=/data -n=admin -p={SECRET} -r=admin",
    f"run --password {SECRET} --verbose",
    f"run --api-key={SECRET}",
    f"Authorization: Bearer {SECRET}",
    f"authorization: Basic {SECRET}",
    f'"Authorization": "{SECRET}"',
    f"sent header bearer {SECRET}",
    f"jdbc:postgresql://ann:{SECRET}@db:5432/x",
    f"<password>{SECRET}</password>",
    f"<license-key>{SECRET}</license-key>",
    f'<property name="keyStorePassword">{SECRET}</property>',
    f"password: |\n  {SECRET}\n  {SECRET}\nnext: line",
    f"env:\n- name: DB_PASSWORD\n  value: {SECRET}\n- name: X\n  value: y",
    f'{{"name": "DB_PASSWORD", "value": "{SECRET}"}}',
    f"spec:\n  code: {CODE}\n  ca: x",
    f'{{"code":"{CODE}"}}',
    f"redeeming with code={CODE}",
    f"a JWT: {JWT}.",
    f"before\n{KEY}\nafter",
    f"before\n{CERTIFICATE}\nafter",
    json.dumps({"tls": KEY}),
    f"caBundle: {base64.b64encode(KEY.encode()).decode()}",
    "\n".join(f"2026-01-01T10:00:00Z {line}" for line in KEY.splitlines()),
    # Truncated at either end, as by a log's size limit.
    f"before\n{KEY[:-40]}",
    f"{KEY[40:]}\nafter",
    f"{KEY.splitlines()[2]}\nafter",
]
PLANTED = (SECRET, CODE, JWT, KEY.splitlines()[1], KEY.splitlines()[1][:40], "abcd12==")


@pytest.mark.parametrize("text", TEXTS)
def test_secret_in_a_text_is_redacted(text: str) -> None:
    assert any(secret in text for secret in PLANTED) or "LS0t" in text, (
        "control: the text contains the secret before redaction"
    )
    redacted = Redaction().text(text)
    assert REDACTED in redacted
    assert [secret for secret in PLANTED if secret in redacted] == []
    assert "LS0tLS1CRUdJTi" not in redacted


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01 10:00:00,000 [ INFO] [hz.x] [c.h.c.LifecycleService]: [10.0.0.1]:5702 [dev] is STARTED",
        "Received auth from Connection[id=4], successfully authenticated, clientUuid: 0a1b2c3d-0000-4000-8000-00000001",
        "Link hazelcast-core: Not Operational",
        "Pulled image docker.io/hazelcast/hazelcast@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789",
        "command terminated with exit code: 137",
        'AccessToken hazelcast-core says "404 (Not Found) No such access granted"',
        "secretName: hazelcast-core\nsecretKeyRef:\n  key: password\n  name: db",
        "imagePullSecrets:\n- name: regcred\n",
        "automountServiceAccountToken: false",
        "tlsCredentials: hazelcast-core",
        "https://203.0.113.7:9090/0a1b2c3d-0000-4000-8000-000000000001",
        "Members {size:3, ver:3} [\n\tMember [10.0.0.1]:5702 - 0a1b this\n]",
        "",
    ],
)
def test_text_without_a_secret_is_not_changed(text: str) -> None:
    assert Redaction().text(text) == text


def item(kind: str = "Pod", **parts: Any) -> dict[str, Any]:
    metadata = {"name": "x", **parts.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **parts}


def in_env(value: str) -> dict[str, Any]:
    return item(spec={"containers": [{"name": "c", "env": [{"name": "MC_LICENSE", "value": value}]}]})


ITEMS = {
    "data of a Secret": item("Secret", data={"a": SECRET}, stringData={"b": SECRET}),
    "code of a grant": item("AccessGrant", status={"code": CODE, "ca": CERTIFICATE, "url": "https://x"}),
    "code of a token": item("AccessToken", spec={"code": CODE, "ca": CERTIFICATE}),
    "env": in_env(SECRET),
    "annotation": item(metadata={"annotations": {"example.org/api-token": SECRET}}),
    "last applied": item(
        metadata={"annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"x": SECRET})}}
    ),
    "managed fields": item(metadata={"managedFields": [{"manager": SECRET}]}),
    "data of a ConfigMap": item("ConfigMap", data={"password": SECRET}),
    "file in a ConfigMap": item("ConfigMap", data={"app.yaml": f"db:\n  password: {SECRET}\n  host: x\n"}),
    "token in a ConfigMap": item(
        "ConfigMap", data={"t.yaml": yaml.safe_dump(item("AccessToken", spec={"code": CODE}))}
    ),
    "arguments": item(spec={"containers": [{"args": ["--password", SECRET]}, {"command": [f"--token={SECRET}"]}]}),
    "tls of a Link": item("Link", spec={"tlsCredentials": KEY, "tls": {"key": KEY, "crt": CERTIFICATE}}),
    "list": item("ConfigMap", spec={"tokens": [SECRET]}),
    "number": item("ConfigMap", spec={"password": 20260131}),
}


@pytest.mark.parametrize("name", ITEMS)
def test_secret_in_an_object_is_redacted(name: str) -> None:
    planted = (*PLANTED, "20260131")
    before = json.dumps(ITEMS[name])
    assert any(secret in before for secret in planted), "control: the text contains the secret before redaction"
    after = json.dumps(Redaction().item(ITEMS[name]))
    assert [secret for secret in planted if secret in after] == []
    assert "managedFields" not in after


def test_other_fields_of_an_object_are_not_changed() -> None:
    pod = item(
        spec={
            "containers": [
                {
                    "env": [
                        {"name": "JAVA_OPTS", "value": "-Xmx1g -DserviceName=hazelcast"},
                        {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                    ]
                }
            ],
            "imagePullSecrets": [{"name": "regcred"}],
            "automountServiceAccountToken": False,
            "volumes": [{"secret": {"secretName": "x", "defaultMode": 420}}],
        },
        status={"phase": "Running"},
    )
    assert Redaction().item(pod) == pod
    grant = item("AccessGrant", spec={"redemptionsAllowed": 1, "code": CODE}, status={"url": "https://x", "ca": "y"})
    assert Redaction().item(grant)["status"] == {"url": "https://x", "ca": REDACTED}


def test_known_secret_is_redacted_everywhere() -> None:
    redaction = Redaction()
    redaction.add_from([ITEMS["code of a grant"], in_env(SECRET), in_env("hz")])
    encoded = base64.b64encode(SECRET.encode()).decode()
    assert redaction.text(f"it said {CODE}, {SECRET}! hz {encoded}") == f"it said {REDACTED}, {REDACTED}! hz {REDACTED}"
    assert SECRET not in json.dumps(redaction.item(item("ConfigMap", data={"note": f"x{SECRET}x", SECRET: "x"})))


def test_public_name_is_not_redacted() -> None:
    redaction = Redaction()
    redaction.add_from([in_env("hazelcast")], public={"hazelcast"})
    assert redaction.text("StatefulSet hazelcast") == "StatefulSet hazelcast"


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "clientSecret", "api-key", "MC_LICENSE", "hazelcast.licensekey", "PWD"]
)
def test_names_that_look_secret(name: str) -> None:
    assert redaction.looks_secret(name)


@pytest.mark.parametrize("name", ["secretName", "TOKEN_FILE", "tlsCredentials", "keyspace", "tokenExpirationSeconds"])
def test_names_that_do_not_look_secret(name: str) -> None:
    assert not redaction.looks_secret(name)


# Characters of secrets; long enough not to occur in a text by chance.
secrets = st.text(string.ascii_letters + string.digits + "-_.~+", min_size=12, max_size=40).filter(
    lambda text: any(c.isdigit() for c in text) and text[0].isalnum()
)
names = st.sampled_from(["password", "db_password", "clientSecret", "access-token", "LICENSE_KEY", "api_key"])


@given(name=names, secret=secrets, before=st.text(max_size=60), after=st.text(max_size=60))
def test_named_value_is_redacted_in_any_text(name: str, secret: str, before: str, after: str) -> None:
    redacted = Redaction().text(f"{before}\n{name}={secret}\n{after}")
    assert f"={secret}\n" not in redacted
    nothing_is_left = secret not in redacted or secret in before + after
    assert nothing_is_left


@given(secret=secrets, texts=st.lists(st.text(max_size=80), min_size=1, max_size=5))
def test_known_value_is_redacted_in_any_text(secret: str, texts: list[str]) -> None:
    redaction = Redaction()
    redaction.add([secret])
    assert secret not in redaction.text(secret.join(["", *texts, ""]))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)


@given(node=st.dictionaries(st.text(max_size=8), json_values, max_size=5), secret=secrets)
def test_any_object_is_redacted_without_an_error(node: dict[str, Any], secret: str) -> None:
    redaction = Redaction()
    once = redaction.item({**node, "kind": "ConfigMap", "data": {"password": secret}})
    assert once["data"] == {"password": REDACTED}
    assert redaction.item(once) == once


@given(st.text())
def test_redacting_again_changes_nothing(text: str) -> None:
    once = Redaction().text(text)
    assert Redaction().text(once) == once


def test_long_log_is_redacted_quickly() -> None:
    line = "2026-01-01T10:00:00.000000000Z [hz.x] [c.h.c.LifecycleService]: [10.0.0.1]:5702 [dev] [5.5.0] a line"
    bad = "2026-01-01T10:00:00.000000000Z token=abcdefgh https://x " + "a" * 300
    log = "\n".join([line] * 9000 + [bad] * 1000)
    began = time.process_time()
    redacted = Redaction().text(log)
    assert time.process_time() - began < 10
    assert redacted.count(REDACTED) == 1000
