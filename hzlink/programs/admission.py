"""Recognizes refusals by admission control: which rule refused, and the command that shows the rule. Pure.

The API server reports all of them as Forbidden, Invalid or InternalError. They are neither missing rights (those
messages name a User) nor network failures between hzlink and the API server. The messages are those of Kubernetes
1.37, Kyverno 1.15, Gatekeeper 3.20 and OpenShift 4.20; events of pods that cannot be created contain the same
messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote

from hzlink.model import objects
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.programs import hints


class Gate(StrEnum):
    """The kind of rule that refused."""

    WEBHOOK = "webhook that cannot be called"
    POLICY = "policy"
    QUOTA = "quota"
    LIMITS = "limit range"


@dataclass(frozen=True)
class Denial:
    """One refusal. `message` names the rule.

    `command`: kubectl's arguments that show the rule; empty if none do. `namespaced`: they need the site's namespace.
    `webhook`: the webhook's name, if its configuration still has to be found.
    """

    gate: Gate
    message: str
    command: str = ""
    namespaced: bool = False
    webhook: str = ""


# Both kinds of webhook configurations, as kubectl takes them.
CONFIGURATIONS = "validatingwebhookconfigurations,mutatingwebhookconfigurations"
# Placeholder for the site's namespace, which a refusal's message may not name.
_NAMESPACE = "NAMESPACE"
_COLUMNS = "custom-columns=KIND:.kind,NAME:.metadata.name,WEBHOOKS:.webhooks[*].name"

_CALL_FAILED = re.compile(r'failed calling webhook "(?P<name>[^"]+)": (?P<why>.*)')
_CONVERSION = re.compile(r"conversion webhook for (?P<group>[\w.-]+)/\w+, Kind=(?P<kind>\w+) failed: (?P<why>.*)")
_DENIED = re.compile(r'admission webhook "(?P<name>[^"]+)" (?P<why>.*)', re.DOTALL)
_POLICY = re.compile(
    r"(?P<kind>ValidatingAdmissionPolicy|MutatingAdmissionPolicy|[Pp]olicy) '(?P<name>[^']+)' with binding "
    r"'(?P<binding>[^']*)' denied request"
)
_POD_SECURITY = re.compile(r'violates PodSecurity "(?P<level>[^"]+)"')
_SCC = re.compile(r"unable to validate against any security context constraint")
_QUOTA_USED = re.compile(r"exceeded quota: (?P<name>[a-z0-9.-]+)")
_QUOTA_WANTS = re.compile(r"failed quota: (?P<name>[a-z0-9.-]+): (?P<wants>must specify .*)")
_LIMITS = re.compile(
    r"(?:maximum|minimum) [\w./-]+ usage per \w+ is|max limit to request ratio per \w+ is|"
    r"(?:No|no) (?:limit|request) is specified"
)
# Missing rights: RBAC and other authorizers name the User; RBAC's own admission checks name the missing right. kubectl
# prints `unknown` if a proxy's answer has no message.
_RIGHTS = re.compile(r"\b[Uu]ser \"|cannot set blockOwnerDeletion|attempting to grant|unknown\b|being terminated")
_FORBIDDEN = re.compile(r'(?P<what>\S+ "[^"]*") is forbidden: (?P<why>.*)', re.DOTALL)


def parse(said: str) -> Denial | None:
    """The refusal in a message of kubectl, an event or a status; None if admission control did not refuse."""
    # A warning of a policy is not a refusal.
    refused = "\n".join(line for line in said.splitlines() if not line.startswith("Warning:"))
    for recognize in (_failed_call, _conversion, _policy, _denied, _quota, _pod_rules, _any_plugin):
        if denial := recognize(refused):
            return denial
    return None


def hint(site: Site, said: str) -> str | None:
    """The command that shows the rule that refused; None if there is none, or if admission control did not refuse."""
    denial = parse(said)
    if denial is None or not denial.command:
        return None
    if denial.namespaced:
        return hints.kubectl(site, denial.command)
    return hints.cluster_wide(site, denial.command.replace(_NAMESPACE, quote(site.namespace)))


def webhook_to_find(said: str) -> str:
    """The name of the webhook whose configuration has to be found; empty if there is none."""
    denial = parse(said)
    return denial.webhook if denial else ""


def configuration_hint(site: Site, configurations: Iterable[Object], webhook: str) -> str | None:
    """The command that shows the configuration with this webhook; None if none of them has it."""
    for item in configurations:
        if any(isinstance(one, dict) and one.get("name") == webhook for one in item.get("webhooks") or []):
            resource = f"{str(item['kind']).lower()}s"
            return hints.cluster_wide(site, f"get {resource} {quote(objects.name(item))} -o yaml")
    return None


def _failed_call(said: str) -> Denial | None:
    if not (found := _CALL_FAILED.search(said)):
        return None
    name = found["name"]
    message = f"the admission webhook {name} cannot be called: {_cause(found['why'])}"
    return Denial(Gate.WEBHOOK, message, f"get {CONFIGURATIONS} -o {quote(_COLUMNS)}", webhook=name)


def _conversion(said: str) -> Denial | None:
    if not (found := _CONVERSION.search(said)):
        return None
    message = f"the conversion webhook of {found['kind']} ({found['group']}) cannot be called: {_cause(found['why'])}"
    plural = f"{found['kind'].lower()}s.{found['group']}"
    return Denial(Gate.WEBHOOK, message, f"get customresourcedefinitions {plural} -o yaml")


# The Service of an address inside the cluster: https://NAME.NAMESPACE.svc:443/...
_SERVICE = re.compile(r'"https://(?P<name>[^./"]+)\.(?P<namespace>[^./"]+)\.svc[:/"]')


def _cause(why: str) -> str:
    """The last error of a chain of wrapped errors, with the Service that was called."""
    cause = re.sub(r'^.*(?:Post|Get) "[^"]*": ', "", why.strip())
    service = _SERVICE.search(why)
    of = f" (Service {service['name']} of namespace {service['namespace']})" if service else ""
    return f"{cause}{of}"


def _policy(said: str) -> Denial | None:
    if not (found := _POLICY.search(said)):
        return None
    kind = found["kind"] if found["kind"].endswith("AdmissionPolicy") else "MutatingAdmissionPolicy"
    plural = f"{kind.lower().removesuffix('y')}ies"
    return Denial(Gate.POLICY, f"{kind} {found['name']} refuses it", f"get {plural} {quote(found['name'])} -o yaml")


def _denied(said: str) -> Denial | None:
    if not (found := _DENIED.search(said)):
        return None
    name, why = found["name"], found["why"]
    if blocked := re.search(r"following polic\w+[^\n]*\n(?P<list>.*)", why, re.DOTALL):
        policies = [quote(line) for line in re.findall(r"^\s*([\w./-]+):\s*$", blocked["list"], re.MULTILINE)]
        if policies:
            return _kyverno(policies)
    if name.endswith("gatekeeper.sh") and (constraints := re.findall(r"\[([a-z0-9.-]+)\]", why)):
        listed = ", ".join(dict.fromkeys(constraints))
        return Denial(Gate.POLICY, f"the Gatekeeper constraint {listed} refuses it", "get constraints")
    message = f"the admission webhook {name} refuses it"
    return Denial(Gate.POLICY, message, f"get {CONFIGURATIONS} -o {quote(_COLUMNS)}", webhook=name)


def _kyverno(policies: list[str]) -> Denial:
    """Kyverno prints each policy's name on a separate line, followed by its rules; a Policy as NAMESPACE/NAME."""
    message = f"the Kyverno policy {', '.join(policies)} refuses it"
    first = policies[0]
    namespace, slash, name = first.rpartition("/")
    if slash:
        return Denial(Gate.POLICY, message, f"-n {namespace} get policies.kyverno.io {name} -o yaml")
    return Denial(Gate.POLICY, message, f"get clusterpolicies.kyverno.io {first} -o yaml")


def _quota(said: str) -> Denial | None:
    if found := _QUOTA_USED.search(said):
        command = f"describe resourcequotas {found['name']}"
        return Denial(Gate.QUOTA, f"the quota {found['name']} is used up", command, namespaced=True)
    if found := _QUOTA_WANTS.search(said):
        message = f"the quota {found['name']} requires fields that the pods do not set: {found['wants'].strip()}"
        return Denial(Gate.QUOTA, message, f"describe resourcequotas {found['name']}", namespaced=True)
    return None


def _pod_rules(said: str) -> Denial | None:
    if found := _POD_SECURITY.search(said):
        message = f"PodSecurity {found['level']}, by the namespace's labels, refuses it"
        return Denial(Gate.POLICY, message, f"get namespace {_NAMESPACE} --show-labels")
    if _SCC.search(said):
        message = "no security context constraint (SCC) that the pod's ServiceAccount may use allows it"
        return Denial(Gate.POLICY, message, "get securitycontextconstraints.security.openshift.io")
    if _LIMITS.search(said):
        return Denial(Gate.LIMITS, "a LimitRange of the namespace refuses it", "describe limitranges", namespaced=True)
    return None


def _any_plugin(said: str) -> Denial | None:
    """Any other Forbidden error that is not about missing rights: an admission plugin that is not known here."""
    found = _FORBIDDEN.search(said)
    if not found or _RIGHTS.search(found["why"].partition("\n")[0]):
        return None
    return Denial(Gate.POLICY, f"the cluster's admission control refuses {found['what']}")
