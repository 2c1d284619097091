"""Checks whether the user has all rights that `up` needs at a site, by the API server's list of rights. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hzlink.checks import needed_rights
from hzlink.checks.needed_rights import Right
from hzlink.checks.records import Answers, Check, Finding, Severity, Unknown
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.programs import hints

RIGHTS = Check(
    "rights",
    "you have all rights that `up` needs",
    "an administrator can give you the Roles of manifests/rbac: see manifests/README.md",
)
# The folders of manifests/rbac with rights that only some purposes need, and these purposes.
OPTIONAL = {"explain": "explanations of failures", "repair": "--repair"}
OPTIONAL_RIGHTS = Check(
    "optional-rights",
    "you also have the rights for explanations and for --repair",
    "an administrator can give you the Roles of manifests/rbac: see manifests/README.md",
    Severity.WARNING,
    informs=True,
)


def optional_at_site(
    site: Site, answers: Answers, needed: Mapping[str, Iterable[Right]], created: bool = False
) -> list[Finding]:
    """What the user lacks of the optional rights, for information; nothing if that is nothing or not known."""
    if created or isinstance(answers.review, Unknown) or answers.review.get("incomplete"):
        return []
    lacking = {name: needed_rights.missing(needed.get(name, ()), answers.review) for name in OPTIONAL}
    parts = [
        f"for {OPTIONAL[name]}: {by_resource(rights)} (manifests/rbac/{name})"
        for name, rights in lacking.items()
        if rights
    ]
    return [OPTIONAL_RIGHTS.passed(site, f"you may not, which is optional: {'; '.join(parts)}")] if parts else []


def at_site(
    site: Site, answers: Answers, needed: Iterable[Right], created: bool = False, folders: Iterable[str] = ()
) -> list[Finding]:
    """The findings on rights in the site's namespace. None for a namespace that `up` creates: its creator has them.

    `folders`: the folders of manifests/rbac with the Roles that give these rights; none for the role's own.
    """
    return [] if created else [of_review(site, answers.review, needed, tuple(folders) or (site.role,))]


def of_review(site: Site, review: Object | Unknown, needed: Iterable[Right], folders: Iterable[str]) -> Finding:
    """The finding on rights in a namespace. `folders`: of the bundled Roles that give them, under manifests/rbac."""
    if isinstance(review, Unknown):
        text = f"it is not known whether you have all rights in namespace {site.namespace}"
        return RIGHTS.unknown(site, text, review.said, hints.kubectl(site, "auth can-i --list"))
    listed = tuple(needed)
    lacking = needed_rights.missing(listed, review)
    if not lacking:
        return RIGHTS.passed(site, f"all {len(listed)} rights")
    words = by_resource(lacking)
    roles = " and ".join(f"manifests/rbac/{name}" for name in folders)
    given = f"an administrator can give you the Role of {roles}: see manifests/README.md"
    then = f"{hints.kubectl(site, 'auth can-i --list')}   ({given})"
    if review.get("incomplete"):
        said = str(review.get("evaluationError") or "the API server cannot list all rights")
        return RIGHTS.unknown(site, f"it is not known whether you may: {words}", said, then)
    return RIGHTS.failed(site, f"you may not, in namespace {site.namespace}: {words}", then=then)


def by_resource(lacking: Iterable[Right]) -> str:
    """The rights grouped by resource, as text: `create, patch sites.skupper.io; delete pods`."""
    verbs: dict[str, list[str]] = {}
    for right in lacking:
        verbs.setdefault(str(right).removeprefix(f"{right.verb} "), []).append(right.verb)
    return "; ".join(f"{', '.join(listed)} {what}" for what, listed in verbs.items())
