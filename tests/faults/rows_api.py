"""Faults of the API servers, of the user's rights and of the namespace."""

from __future__ import annotations

import time
from contextlib import ExitStack

from sandbox.api import kinds
from sandbox.api.kinds import Obj
from sandbox.skupper.controller import kinds as skupper_kinds
from tests.faults.fault import Fault, Part, Where
from tests.faults.world import World

UNREACHABLE = "the API server of context {client} cannot be reached"
UNREACHABLE_MEANS = (
    "kubectl got no answer: the API server, the network or the VPN is down, or the kubeconfig has a wrong address. "
    "During a run hzlink retries for 15 s."
)
UNREACHABLE_DO = "Fix the cause, then run the same command again: it continues from what exists."
CLUSTER_INFO = "kubectl --context client cluster-info"
ALL: Obj = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
READ = ["get", "list", "watch"]
TYPES = (
    *("accessgrants", "accesstokens", "certificates", "connectors", "links", "listeners", "routeraccesses"),
    *("securedaccesses", "sites", "deployments", "statefulsets", "configmaps", "events", "pods", "pods/log", "secrets"),
    *("serviceaccounts", "services", "poddisruptionbudgets", "roles", "rolebindings", "leases"),
)


def all_but(types: str, verbs: list[str]) -> list[Obj]:
    """Every right in the namespace except these verbs on that type."""
    kept = [verb for verb in (*READ, "create", "update", "patch", "delete", "deletecollection") if verb not in verbs]
    others = [one for one in TYPES if one != types]
    everywhere = {"apiGroups": ["*"], "verbs": ["*"], "resources": others}
    return [everywhere, {"apiGroups": ["*"], "verbs": kept, "resources": [types]}]


def closed(world: World) -> None:
    world.relay("client").close()


def frozen(world: World) -> None:
    world.relay("client").freeze()


def closed_in_a_wait(world: World) -> None:
    """The client's Site never gets ready; its API server is closed while hzlink waits for the Site."""
    world.fault("site", "client", "never-ready")
    relay = world.relay("client")
    world.when(lambda: _is_applied(world), relay.close)


def _is_applied(world: World) -> bool:
    """Whether everything is applied at the client site, so that hzlink waits for its Site."""
    wanted = (
        (skupper_kinds.SITES, "client"),
        (skupper_kinds.LISTENERS, "hazelcast"),
        (kinds.CONFIG_MAPS, "hazelcast-mancenter-config"),
        (kinds.SERVICES, "hazelcast-mancenter"),
        (kinds.DEPLOYMENTS, "hazelcast-mancenter"),
    )
    return all(world.get("client", *one) for one in wanted)


def frozen_in_a_wait(world: World) -> None:
    world.fault("site", "client", "never-ready")
    relay = world.relay("client")
    world.when(lambda: _is_applied(world), relay.freeze)


def back_in_time(world: World) -> None:
    relay = world.relay("client")
    world.fault("site", "client", "never-ready")

    def blink() -> None:
        relay.close()
        time.sleep(2)
        relay.open()
        world.fault("site", "client", None)

    world.when(lambda: _is_applied(world), blink)


def closed_while_issuing(world: World) -> None:
    """The issuer's API server is closed when the grant exists, which then cannot be removed."""
    relay = world.relay("cluster")
    world.fault("grant_server", "cluster", False)
    world.when(lambda: _ours(world), relay.close)

    def mend() -> None:
        world.fault("grant_server", "cluster", None)
        relay.open()

    world.mend = mend


def _ours(world: World) -> list[Obj]:
    return [grant for grant in world.items("cluster", skupper_kinds.GRANTS) if "-to-" in grant["metadata"]["name"]]


def frozen_for_real(world: World) -> None:
    """Stops the API server's process, instead of a relay, before hzlink calls it."""
    stopped = ExitStack()
    world.when(lambda: True, lambda: stopped.enter_context(world.sandbox.frozen("cluster")))
    world.closing.append(stopped.close)


def wrong_credentials(world: World) -> None:
    world.user("client", "no-such-token-Wd4Sn6Bf")


def plugin_missing(world: World) -> None:
    world.plugin("client", "no-such-login")


def plugin_asks(world: World) -> None:
    world.plugin("client", "login", "Always")


def login_runs_out(world: World) -> None:
    """The token is valid until everything is applied."""
    file = world.user_by_program("client", world.token_for("client", [ALL]))

    def run_out() -> None:
        file.write_text("no-such-token-Wd4Sn6Bf")

    world.when(lambda: _is_applied(world), run_out)


def no_rights(world: World) -> None:
    world.limited_user("client", [])


def no_right_to_issue(world: World) -> None:
    world.limited_user("cluster", all_but("accessgrants", ["create"]))


def no_right_to_redeem(world: World) -> None:
    world.limited_user("client", all_but("accesstokens", ["create"]))


def no_right_to_apply_members(world: World) -> None:
    world.limited_user("cluster", all_but("statefulsets", ["create", "patch"]))


def terminating(world: World) -> None:
    """A foreign finalizer keeps the namespace."""
    keeper = {"metadata": {"name": "keeper", "finalizers": ["example.org/keep"]}}
    world.create("client", kinds.CONFIG_MAPS, keeper)
    kube = world.sandbox.kube("client")
    kube.delete(kinds.NAMESPACES, None, world.namespace)
    world.closing.append(lambda: world.patch("client", kinds.CONFIG_MAPS, "keeper", {"metadata": {"finalizers": None}}))


def quota(world: World) -> None:
    quota_kind = kinds.Resource("", "v1", "resourcequotas", "ResourceQuota")
    world.create("cluster", quota_kind, {"metadata": {"name": "few"}, "spec": {"hard": {"count/statefulsets.apps": 1}}})
    world.wait(lambda: (world.get("cluster", quota_kind, "few") or {}).get("status", {}).get("used"))


WEBHOOKS = kinds.Resource(
    "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration"
)
POLICIES = kinds.Resource(
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy"
)
BINDINGS = kinds.Resource(
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"
)


def of_cluster(world: World, resource: kinds.Resource, body: Obj) -> None:
    """Creates a cluster-scoped object in `cluster`, and deletes it after the row."""
    kube = world.sandbox.kube("cluster")
    kube.create(resource, body)
    world.closing.append(lambda: kube.delete(resource, None, body["metadata"]["name"]))


def here(world: World) -> Obj:
    """Selects this row's namespace."""
    return {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}}


def webhook_gone(world: World) -> None:
    """A policy engine was removed without its webhook configuration."""
    service = {"name": "policy-svc", "namespace": "policy", "path": "/validate"}
    everything: Obj = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": ["*"]}
    # A namespace selector does not keep a webhook from objects that are in no namespace.
    everything["scope"] = "Namespaced"
    webhook = {
        "name": "validate.policy.example",
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"service": service},
        "rules": [everything],
        "namespaceSelector": here(world),
    }
    of_cluster(world, WEBHOOKS, {"metadata": {"name": f"policy-{world.namespace}"}, "webhooks": [webhook]})
    lease = {"metadata": {"name": "tried"}, "spec": {}}

    def is_called() -> bool:
        try:
            world.create("cluster", kinds.LEASES, lease)
        except kinds.KubeError:
            return True
        world.delete("cluster", kinds.LEASES, "tried")
        return False

    world.wait(is_called)


def policy(world: World) -> None:
    """A ValidatingAdmissionPolicy allows at most two members."""
    name = f"few-{world.namespace}"
    sets = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["statefulsets"]}
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [sets]},
        "validations": [{"expression": "object.spec.replicas <= 2", "message": "at most two replicas"}],
    }
    of_cluster(world, POLICIES, {"metadata": {"name": name}, "spec": spec})
    bound = {"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": here(world)}}
    of_cluster(world, BINDINGS, {"metadata": {"name": name}, "spec": bound})
    pods = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    many = {"replicas": 3, "serviceName": "x", "selector": {"matchLabels": {"app": "x"}}, "template": pods}

    def is_bound() -> bool:
        try:
            world.create("cluster", kinds.STATEFUL_SETS, {"metadata": {"name": "tried"}, "spec": many})
        except kinds.KubeError:
            return True
        world.delete("cluster", kinds.STATEFUL_SETS, "tried")
        return False

    world.wait(is_bound)


def conflict(world: World) -> None:
    """Another tool has applied the StatefulSet and owns its number of replicas."""
    pods = {"metadata": {"labels": {"app": "hazelcast"}}, "spec": {"containers": [{"name": "hazelcast", "image": "x"}]}}
    spec = {"replicas": 0, "serviceName": "hazelcast", "selector": {"matchLabels": {"app": "hazelcast"}}}
    body = {"metadata": {"name": "hazelcast", "namespace": world.namespace}, "spec": {**spec, "template": pods}}
    world.sandbox.kube("cluster").apply(kinds.STATEFUL_SETS, body, manager="helm")


ROWS = [
    Fault(
        Part.API, "api-refuses-connections", "the API server is down before the run", UNREACHABLE,
        UNREACHABLE_MEANS, UNREACHABLE_DO, closed, 3,
        site="client", said="refused", next=CLUSTER_INFO,
    ),
    Fault(
        Part.API, "api-frozen", "the API server accepts connections and does not answer", UNREACHABLE,
        UNREACHABLE_MEANS, UNREACHABLE_DO, frozen, 3,
        site="client", said="TLS handshake timeout|deadline exceeded|Client.Timeout|no answer", next=CLUSTER_INFO,
    ),
    Fault(
        Part.API, "api-gone-in-a-wait", "the API server stops while hzlink waits", UNREACHABLE,
        UNREACHABLE_MEANS, UNREACHABLE_DO, closed_in_a_wait, 3,
        site="client", said="refused", next=CLUSTER_INFO,
    ),
    Fault(
        Part.API, "api-frozen-in-a-wait", "the API server freezes while hzlink waits", UNREACHABLE,
        UNREACHABLE_MEANS, UNREACHABLE_DO, frozen_in_a_wait, 3,
        command=("up", "--timeout", "120"), site="client",
        said="TLS handshake timeout|deadline exceeded|Client.Timeout|no answer|i/o timeout", next=CLUSTER_INFO,
    ),
    Fault(
        Part.API, "api-gone-while-issuing", "the API server stops between grant and token",
        "the API server of context {cluster} cannot be reached",
        UNREACHABLE_MEANS, f"{UNREACHABLE_DO} The grant expires within a minute, and the next run removes "
        "it.", closed_while_issuing, 3, command=("up", "--timeout", "120", "--via", "kubectl"),
        site="cluster", said="refused", next="kubectl --context cluster cluster-info", heals=True,
    ),
    Fault(
        Part.API, "api-blinks", "the API server is unreachable for a moment", "linked to cluster",
        "No problem: hzlink retries the wait.", "Nothing.", back_in_time, 0,
        where=Where.TALK,
    ),
    Fault(
        Part.API, "api-process-stopped", "the API server's process is stopped",
        "the API server of context {cluster} cannot be reached",
        "`hzlink status` does not wait until the API server answers.", "See above.", frozen_for_real, 3,
        command=("status", "--timeout", "30"), where=Where.HOP,
        site="cluster", subject="API server", next="kubectl --context cluster cluster-info", alone=True,
    ),
    Fault(
        Part.API, "unauthorized", "the credentials are not accepted",
        "the API server of context {client} does not accept your credentials",
        "The API server does not know this user: a token or certificate has expired, or you must log in.",
        "Log in again. The next command shows the user that the API server sees.", wrong_credentials, 3,
        site="client", said="must be logged in|Unauthorized", next="kubectl --context client auth whoami",
    ),
    Fault(
        Part.API, "unauthorized-in-mid-run", "the credentials expire during a run",
        "the API server of context {client} does not accept your credentials",
        "The API server does not know this user: a token or certificate has expired, or you must log in.",
        "Log in again. The next command shows the user that the API server sees.", login_runs_out, 3,
        command=("up", "--timeout", "120", "--via", "kubectl"),
        site="client", said="must be logged in|Unauthorized", next="kubectl --context client auth whoami",
    ),
    Fault(
        Part.API, "plugin-missing", "the credential plugin is not installed",
        "the credential plugin no-such-login of context client is not installed",
        "Your kubeconfig names a program that gets credentials (`users[].user.exec`), and it is not on your PATH.",
        "Install it, or correct its name; the line below has the file.", plugin_missing, 3,
        site="client", said="kubeconfig: user client-user runs no-such-login", next="install no-such-login",
    ),
    Fault(
        Part.API, "plugin-asks", "the credential plugin needs a terminal, and there is none",
        "the credential plugin login of context client needs a terminal, and there is none",
        "The program that gets credentials (`users[].user.exec`) has `interactiveMode: Always`. At a terminal hzlink "
        "lets it ask once, before anything else.",
        "Run the same command at a terminal, or use a kubeconfig whose credentials need nobody.", plugin_asks, 3,
        site="client", said="kubeconfig: user client-user runs login", next="at a terminal",
    ),
    Fault(
        Part.API, "forbidden", "no rights in the namespace",
        "you may not read objects in namespace {namespace} of context {client}",
        "The API server knows the user, but a right is missing. The error names the verb and the type.",
        "Ask for the right. Skupper has no roles for users: even a namespace's admin has no rights on its types.",
        no_rights, 3,
        site="client", said="cannot list resource", next="kubectl --context client -n {namespace} auth can-i --list",
    ),
    Fault(
        Part.API, "right-missing", "the checks find a missing right before anything is written",
        "you may not, in namespace {namespace}: create, patch statefulsets.apps",
        "`up` needs more rights at this site than you have. The error lists all missing rights.",
        "Ask for the bundled Role in manifests/rbac. `hzlink check` shows whether it is sufficient.",
        no_right_to_apply_members, 3,
        site="cluster", next="kubectl --context cluster -n {namespace} auth can-i --list",
    ),
    Fault(
        Part.API, "forbidden-to-issue", "no right to create an AccessGrant",
        "you may not create AccessGrant in namespace {namespace} of context {cluster}",
        "The Sites are ready, but you do not have the right to issue a token at this site.",
        "Ask for the right to create accessgrants.skupper.io, or let the other side issue: --link-from client.",
        no_right_to_issue, 3, command=("up", "--timeout", "120", "--via", "kubectl", "--skip-check"),
        site="cluster", said='cannot create resource "accessgrants"',
        next="kubectl --context cluster -n {namespace} auth can-i --list",
    ),
    Fault(
        Part.API, "forbidden-to-redeem", "no right to create an AccessToken",
        "you may not create AccessToken in namespace {namespace} of context {client}",
        "A token was issued, but you do not have the right to redeem it. hzlink removes the grant.",
        "Ask for the right to create accesstokens.skupper.io.",
        no_right_to_redeem, 3, command=("up", "--timeout", "120", "--via", "kubectl", "--skip-check"),
        site="client", said='cannot create resource "accesstokens"',
        next="kubectl --context client -n {namespace} auth can-i --list",
    ),
    Fault(
        Part.API, "forbidden-to-apply", "no right to apply one type",
        "you may not apply objects in namespace {namespace} of context {cluster}",
        "You do not have the right to write one of the types that hzlink applies.",
        "Ask for the right. The error names the object.", no_right_to_apply_members, 3,
        command=("up", "--timeout", "120", "--skip-check"),
        site="cluster", subject="StatefulSet hazelcast", said='cannot (create|patch) resource "statefulsets"',
        next="kubectl --context cluster -n {namespace} auth can-i --list",
    ),
    Fault(
        Part.NAMESPACE, "namespace-terminating", "the namespace is being deleted",
        "namespace {namespace} of context {client} is being deleted",
        "No objects can be created in it. An object's finalizer can delay the deletion.",
        "Wait until it is gone, then run `hzlink up --create-namespace`.", terminating, 1,
        site="client", said="being terminated", next="kubectl --context client wait --for=delete namespace {namespace}",
        bystanders=("cluster",),
    ),
    Fault(
        Part.NAMESPACE, "quota", "a quota allows no more objects",
        "the quota few is used up",
        "The namespace's ResourceQuota allows no more objects of that type.",
        "Raise the quota, or remove objects that are not needed.", quota, 1,
        site="cluster", subject="StatefulSet hazelcast", said="exceeded quota",
        next="kubectl --context cluster -n {namespace} describe resourcequotas few",
    ),
    Fault(
        Part.NAMESPACE, "webhook-gone", "an admission webhook cannot be called",
        'the admission webhook validate.policy.example cannot be called: service "policy-svc" not found '
        "(Service policy-svc of namespace policy)",
        "A webhook (of a policy engine, for example) must accept every change, and cannot be called. One whose pod "
        "does not answer is called again until --timeout. A missing Service, or a wrong certificate, ends the run.",
        "Repair the webhook, or ask for its configuration to be removed. The next command shows it.", webhook_gone, 3,
        site="cluster", subject="Lease hzlink", said="failed calling webhook",
        next="kubectl --context cluster get validatingwebhookconfigurations policy-{namespace} -o yaml",
    ),
    Fault(
        Part.NAMESPACE, "policy", "a policy of the cluster refuses an object",
        "ValidatingAdmissionPolicy few-{namespace} refuses it",
        "A rule of the cluster's administrators does not allow an object that hzlink applies. The error contains the "
        "rule's message. Kyverno, Gatekeeper, PodSecurity, OpenShift's SCC and LimitRanges refuse in the same way.",
        "Change the object, or ask for an exception. The next command shows the rule.", policy, 1,
        site="cluster", subject="StatefulSet hazelcast", said="denied request: at most two replicas",
        next="kubectl --context cluster get validatingadmissionpolicies few-{namespace} -o yaml",
    ),
    Fault(
        Part.NAMESPACE, "conflict", "another tool owns a field",
        'fields .spec.replicas, .spec.template.spec.containers[name="hazelcast"].image of StatefulSet hazelcast '
        "are managed by helm",
        "Another tool (the error names it) has applied the same object with other values. hzlink does not overwrite "
        "fields of other tools.",
        "Remove the object from that tool's manifests, or use another namespace.", conflict, 1,
        site="cluster", subject="StatefulSet hazelcast", said='conflicts? with "helm"',
        next="kubectl --context cluster -n {namespace} get statefulsets.apps/hazelcast -o yaml --show-managed-fields",
    ),
]  # fmt: skip
