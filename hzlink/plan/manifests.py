"""Renders the bundled manifests for a site, with a kustomize overlay. Needs no cluster."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hzlink.model.choices import Expose, LinkAccess, Mode, Role
from hzlink.model.errors import HzlinkError, UsageError
from hzlink.model.objects import Object
from hzlink.model.topology import DEFAULT_SERVICE, PART_OF, Settings, Site, Topology, labels
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import app_names, existing_members, renaming
from hzlink.plan.ownership import FINGERPRINT
from hzlink.programs import kustomize, scratch

MEMBER_IMAGE = "hazelcast/hazelcast"
MANCENTER_IMAGE = "hazelcast/management-center"


def folder() -> Path:
    """The folder of the manifests: in the package (wheel), or next to it (checkout, editable install).

    Raises:
        HzlinkError: there is no such folder; the installation is broken.
    """
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "_manifests", package.parent / "manifests"):
        if (candidate / "cluster" / "kustomization.yaml").is_file():
            return candidate
    raise HzlinkError("hzlink's bundled manifests are missing", next_step="install hzlink again")


async def render(topology: Topology, site: Site, skupper_name: str, issues: bool) -> list[Object]:
    """The objects that `up` applies at a site, with fingerprints, in kustomize's order.

    Args:
        topology: the topology with its settings.
        site: the site to render.
        skupper_name: the name of its Skupper Site.
        issues: whether other sites link to this site, which then needs link access.
    """
    rendered = parse(await _build(topology, site, skupper_name, issues))
    return [stamped(app_names.marked(item, topology, site)) for item in _adapted(topology, rendered)]


async def build(topology: Topology, site: Site, skupper_name: str, issues: bool) -> str:
    """The objects of a site as YAML text without fingerprints, for `hzlink render`."""
    text = await _build(topology, site, skupper_name, issues)
    if topology.service == DEFAULT_SERVICE and topology.found is None and not topology.app_namespaces(site):
        return text
    return to_text(app_names.marked(item, topology, site) for item in _adapted(topology, parse(text)))


def app_services(topology: Topology, site: Site, namespace: str) -> str:
    """The Services of an application namespace as YAML text without fingerprints, for `hzlink render`."""
    names = app_names.members(topology, topology.settings.mode, topology.member_names)
    targets = app_names.targets(topology, site, namespace, Snapshot(topology.cluster), names)
    return to_text(app_names.services(topology, namespace, targets))


def _adapted(topology: Topology, items: Iterable[Object]) -> list[Object]:
    return existing_members.adapted(topology, [renaming.renamed(item, topology) for item in items])


async def _build(topology: Topology, site: Site, skupper_name: str, issues: bool) -> str:
    """What kustomize prints, with the names of the bundled manifests."""
    with scratch.folder(*_overlays()) as work:
        # kustomize resolves symbolic links before it compares folders.
        into = work.resolve()
        content = overlay(topology, site, skupper_name, issues, folder(), into)
        # JSON is valid YAML and quotes any name correctly.
        (into / "kustomization.yaml").write_text(json.dumps(content, indent=2), encoding="utf-8")
        return await kustomize.build(str(into))


def sweep() -> None:
    """Removes the overlays of runs that were killed."""
    scratch.sweep(*_overlays())


def _overlays() -> tuple[Path, str]:
    return scratch.temporary(), "hzlink-overlay-"


def parse(text: str) -> list[Object]:
    """The objects of a YAML stream."""
    import yaml

    # The C parser, if PyYAML has it, is ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [item for item in yaml.load_all(text, loader) if item]


def to_text(items: Iterable[Object]) -> str:
    """Objects as a YAML stream; texts of several lines as blocks, as kustomize prints them."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def as_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, as_text)
    return yaml.dump_all(items, Dumper=Dumper, sort_keys=False, width=1000)


def stamped(item: Object) -> Object:
    """The object with its fingerprint as an annotation. A different fingerprint shows a field that is no longer set.

    The fingerprint does not include the number of members: others may change it, and then hzlink must not apply. It
    does not include the topology of a Skupper Site, or of its access for --link-host, either.
    """
    metadata = dict(item.get("metadata") or {})
    counted = item
    if item.get("kind") == "StatefulSet" and "spec" in item:
        counted = {**item, "spec": {key: value for key, value in item["spec"].items() if key != "replicas"}}
    if item.get("kind") in ("Site", "Certificate", "RouterAccess"):
        # `down` gives a Site to another topology that uses it, whose `up` then has nothing to write.
        marks = {key: value for key, value in (metadata.get("labels") or {}).items() if key != PART_OF}
        counted = {**item, "metadata": {**metadata, "labels": marks}}
    digest = hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:16]
    metadata["annotations"] = {**(metadata.get("annotations") or {}), FINGERPRINT: digest}
    return {**item, "metadata": metadata}


def overlay(
    topology: Topology, site: Site, skupper_name: str, issues: bool, bundle: Path, into: Path
) -> dict[str, Any]:
    """The content of `into`/kustomization.yaml for one site. Pure."""
    settings = topology.settings
    content: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [_relative(bundle / site.role, into)],
        "components": [_relative(bundle / "components" / name, into) for name in components(topology, site, issues)],
        "labels": [{"pairs": labels(topology.name), "includeSelectors": False}],
        "patches": [
            {
                "target": {"group": "skupper.io", "kind": "Site"},
                "patch": json.dumps(_site_patch(settings, skupper_name, issues)),
                "options": {"allowNameChange": True},
            }
        ],
    }
    if site.role is Role.CLUSTER:
        content["replicas"] = [{"name": DEFAULT_SERVICE, "count": settings.members}]
        if settings.image:
            content["images"] = [{"name": MEMBER_IMAGE, **image_parts(settings.image)}]
    elif site.role is Role.CLIENT and topology.has_mancenter:
        if settings.mancenter_image:
            parts = image_parts(settings.mancenter_image, "--mancenter-image")
            content["images"] = [{"name": MANCENTER_IMAGE, **parts}]
        content["patches"].append({"patch": json.dumps(_expect_members(settings.members))})
    makes_pods = site.role is Role.CLUSTER or (site.role is Role.CLIENT and topology.has_mancenter)
    if settings.pull_secrets and makes_pods:
        content["patches"].append({"patch": json.dumps(_pull_secrets(site, settings.pull_secrets))})
    return content


def components(topology: Topology, site: Site, issues: bool) -> list[str]:
    """The names of the kustomize components that the settings need at this site."""
    settings = topology.settings
    if site.role is Role.HUB:
        return [] if issues else ["no-link-access"]
    chosen = []
    if settings.mode is Mode.UNISOCKET:
        # At client sites it includes no-mancenter.
        chosen.append(f"{site.role}-unisocket")
    elif site.role is Role.CLIENT and not topology.has_mancenter:
        chosen.append("no-mancenter")
    elif site.role is Role.CLIENT and settings.expose is not Expose.CLUSTERIP:
        chosen.append(f"expose-{settings.expose}")
    if site.role is Role.CLUSTER and settings.assigned_users:
        chosen.append("openshift")
    if site.role is Role.CLUSTER and not issues:
        chosen.append("no-link-access")
    if site.role is Role.CLIENT and issues:
        chosen.append("link-access")
    return chosen


def _site_patch(settings: Settings, skupper_name: str, issues: bool) -> list[dict[str, str]]:
    """A JSON patch of the Skupper Site: its name, and the type of its link access if the settings name one."""
    patch = [{"op": "replace", "path": "/metadata/name", "value": skupper_name}]
    if issues and settings.link_access is not LinkAccess.AUTO:
        patch.append({"op": "add", "path": "/spec/linkAccess", "value": settings.link_access.in_site})
    return patch


def image_parts(image: str, option: str = "--image") -> dict[str, str]:
    """An image reference as kustomize's fields: newName, and newTag or digest. `option`: where it was given.

    Raises:
        UsageError: the name is empty, or nothing follows a colon or @.
    """
    name, at, digest = image.partition("@")
    # A colon before the last slash belongs to the registry's port.
    head, slash, tail = name.rpartition("/")
    base, colon, tag = tail.partition(":")
    if not base or (colon and not tag) or (at and not digest):
        raise UsageError(f"{option} {image!r} is not an image")
    parts = {"newName": f"{head}{slash}{base}"}
    if tag:
        parts["newTag"] = tag
    if digest:
        parts["digest"] = digest
    return parts


def _expect_members(count: int) -> dict[str, Any]:
    """A patch that sets for how many members' names Management Center's init container waits."""
    init = {"name": "wait-for-members", "env": [{"name": "HAZELCAST_MEMBERS", "value": str(count)}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{DEFAULT_SERVICE}-mancenter"},
        "spec": {"template": {"spec": {"initContainers": [init]}}},
    }


def _pull_secrets(site: Site, names: tuple[str, ...]) -> dict[str, Any]:
    """A patch that sets the Secrets for pulling images, of the members or of Management Center."""
    kind, name = ("StatefulSet", "") if site.role is Role.CLUSTER else ("Deployment", "-mancenter")
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": f"{DEFAULT_SERVICE}{name}"},
        "spec": {"template": {"spec": {"imagePullSecrets": [{"name": one} for one in names]}}},
    }


def _relative(path: Path, start: Path) -> str:
    # kustomize accepts only relative paths of bases.
    return os.path.relpath(path.resolve(), start)
