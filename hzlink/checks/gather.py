"""Collects the facts for the checks with a few parallel calls, each with a deadline.

Nothing here writes: a SelfSubjectRulesReview is a query that is sent by POST; the cluster does not store it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hzlink.checks import access, app_namespaces, rights, tools
from hzlink.checks import controller as skupper_controller
from hzlink.checks import needed_rights as hzlink_rights
from hzlink.checks import pull_secrets as secrets
from hzlink.checks.needed_rights import Right
from hzlink.checks.records import CONTROLLER, GRANT_SERVER, SKUPPER_NAMESPACE, Answers, Check, Unknown, Versions
from hzlink.model import conditions, objects
from hzlink.model.choices import Role
from hzlink.model.errors import PrerequisiteError
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe.app_namespaces import place
from hzlink.observe.cluster_identity import KUBE_SYSTEM
from hzlink.programs import output, process, refusals, skupper
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal

ROUTES = "route.openshift.io"


async def read_all(topology: Topology, limit: float) -> Mapping[Site, Answers]:
    """Collects the facts of all sites in parallel. `limit`: the command's time limit in seconds.

    Raises:
        PrerequisiteError: kubectl is not installed.
    """
    secrets_asked = topology.settings.pull_secrets
    reading = (read(site, limit, secrets_asked, topology.app_namespaces(site)) for site in topology.sites)
    return dict(zip(topology.sites, await asyncio.gather(*reading), strict=True))


async def read(site: Site, limit: float, pull_secrets: Sequence[str] = (), apps: Sequence[str] = ()) -> Answers:
    """Collects the facts of one site. `pull_secrets`: the names of the Secrets whose type is read."""
    in_apps = asyncio.gather(*(_review(place(site, namespace), limit) for namespace in apps))
    versions, review, found, types, reviews = await asyncio.gather(
        _versions(site, limit),
        _review(site, limit),
        _objects(site, limit),
        _secret_types(site, limit, pull_secrets),
        in_apps,
    )
    (namespace, controller, grant_server, kube_system), routes = found
    by_app = dict(zip(apps, reviews, strict=True))
    return Answers(versions, review, namespace, controller, grant_server, routes, kube_system, types, by_app)


def needed_rights(topology: Topology) -> Mapping[str, tuple[Right, ...]]:
    """The rights that `up` needs with the topology's settings: at each kind of site, and in application namespaces; and
    the optional ones.

    Raises:
        HzlinkError: hzlink's bundled manifests are missing.
    """
    settings = topology.settings
    found: dict[str, tuple[Right, ...]] = {
        role: hzlink_rights.needed(hzlink_rights.role_folder(role, settings), hzlink_rights.ways(topology, role))
        for role in Role
    }
    found |= {folder: hzlink_rights.needed(folder) for folder in rights.OPTIONAL}
    if settings.app_namespaces:
        found[app_namespaces.ROLE] = hzlink_rights.needed(app_namespaces.ROLE)
    return found


def mancenter_rights() -> frozenset[Right]:
    """Those of the rights that only Management Center needs.

    Raises:
        HzlinkError: hzlink's bundled manifests are missing.
    """
    return frozenset(hzlink_rights.for_mancenter())


async def skupper_cli(limit: float) -> str | Unknown | None:
    """The version of the skupper CLI; None if it is not installed."""
    try:
        done = await skupper.version(min(tools.CLI.deadline, limit))
    except process.DeadlineExceeded as error:
        return Unknown(str(error))
    except PrerequisiteError as error:
        return Unknown(error.said or error.message)
    if done is None:
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0].strip() if done.code == 0 and lines else Unknown(refusals.gist(done.said))


async def _versions(site: Site, limit: float) -> Versions | Unknown:
    done = await _run(site, tools.KUBECTL_SKEW, limit, "version", "--output=json")
    if isinstance(done, Unknown):
        return done
    # kubectl prints its own version even if the API server does not answer.
    document = _document(done.stdout)
    client = str((document.get("clientVersion") or {}).get("gitVersion", ""))
    server = str((document.get("serverVersion") or {}).get("gitVersion", ""))
    return Versions(client, server) if client else Unknown(refusals.gist(done.said))


async def _review(site: Site, limit: float) -> Object | Unknown:
    question = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": site.namespace},
    }
    args = ("create", "--filename=-", "--validate=false", "--output=json")
    done = await _run(site, rights.RIGHTS, limit, *args, stdin=json.dumps(question))
    if isinstance(done, Unknown):
        return done
    status = objects.status(_document(done.stdout))
    return status or Unknown(refusals.gist(done.said) or "the API server listed no rules")


async def _secret_types(site: Site, limit: float, names: Sequence[str]) -> Mapping[str, str | Unknown | None]:
    """The types of Secrets, None for one that does not exist. kubectl prints only names and types."""
    if not names:
        return {}
    columns = "--output=custom-columns=NAME:.metadata.name,TYPE:.type"
    args = ("get", objects.RESOURCES["Secret"], *names, columns, "--no-headers", "--ignore-not-found")
    done = await _run(site, secrets.PULL_SECRETS, limit, *args)
    if isinstance(done, Unknown):
        return dict.fromkeys(names, done)
    rows = (line.split() for line in done.stdout.splitlines())
    found = {row[0]: row[1] for row in rows if len(row) == 2 and row[0] in names}
    absent = None if done.code == 0 else Unknown(refusals.gist(done.said) or "no answer")
    return {name: found.get(name, absent) for name in names}


_Fact = Object | Unknown | None


async def _objects(site: Site, limit: float) -> tuple[tuple[_Fact, _Fact, _Fact, _Fact], bool | Unknown]:
    """Namespace, controller, grant server and kube-system, in one call; and whether the cluster has routes."""
    asked = (
        ("Namespace", objects.RESOURCES["Namespace"], site.namespace),
        ("Deployment", objects.RESOURCES["Deployment"], CONTROLLER),
        ("Service", objects.RESOURCES["Service"], GRANT_SERVER),
        ("Namespace", objects.RESOURCES["Namespace"], KUBE_SYSTEM),
    )
    names = [f"{resource}/{name}" for _, resource, name in asked]
    # The last --namespace applies. A Namespace object is in no namespace.
    args = ("get", f"--namespace={SKUPPER_NAMESPACE}", *names, "--output=json", "--ignore-not-found")
    done = await _run(site, skupper_controller.CONTROLLER_EXISTS, limit, *args)
    if isinstance(done, Unknown):
        return (done, done, done, done), done
    namespace, controller, grant_server, kube_system = (_fact(done, *one) for one in asked)
    found = None if isinstance(grant_server, Unknown) else grant_server
    routes = False if found is not None and conditions.balancer_address(found) else await _routes(site, limit)
    return (namespace, controller, grant_server, kube_system), routes


def _fact(done: process.Completed, kind: str, resource: str, name: str) -> _Fact:
    """One of several requested objects: kubectl prints those that it could read, and an error for each other one."""
    document = _document(done.stdout)
    items: list[Any] = document.get("items") or ([document] if document else [])
    for item in items:
        if item.get("kind") == kind and objects.name(item) == name:
            found: Object = item
            return found
    if done.code == 0:
        return None
    lines = refusals.gist(done.said).splitlines()
    stated = [line for line in lines if f'{resource} "{name}"' in line]
    refused = bool(lines) and all(refusals.classify(line) is Refusal.FORBIDDEN for line in lines)
    # kubectl was refused only another object: this one does not exist.
    return None if refused and not stated else Unknown((stated or lines or ["no answer"])[0])


async def _routes(site: Site, limit: float) -> bool | Unknown:
    done = await _run(site, access.ACCESS, limit, "get", f"--raw=/apis/{ROUTES}")
    if isinstance(done, Unknown):
        return done
    if done.code == 0:
        return True
    return False if refusals.classify(done.said) is Refusal.NOT_FOUND else Unknown(refusals.gist(done.said))


async def _run(
    site: Site, check: Check, limit: float, *args: str, stdin: str | None = None
) -> process.Completed | Unknown:
    """Runs kubectl within the check's deadline. The caller interprets its errors."""
    try:
        return await Kubectl(site, min(check.deadline, limit)).run_raw(*args, stdin=stdin)
    except process.DeadlineExceeded as error:
        return Unknown(f"no answer within {error.seconds:g} s")
    except KubectlError as error:
        return Unknown(error.message)


def _document(text: str) -> dict[str, Any]:
    return output.json_object(text) or {}
