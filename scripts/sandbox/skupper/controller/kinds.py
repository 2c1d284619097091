"""Skupper's kinds."""

from sandbox.api.kinds import Resource

GROUP = "skupper.io"
API_VERSION = "skupper.io/v2alpha1"


def _skupper(plural: str, kind: str) -> Resource:
    return Resource(GROUP, "v2alpha1", plural, kind)


SITES = _skupper("sites", "Site")
LISTENERS = _skupper("listeners", "Listener")
CONNECTORS = _skupper("connectors", "Connector")
LINKS = _skupper("links", "Link")
GRANTS = _skupper("accessgrants", "AccessGrant")
TOKENS = _skupper("accesstokens", "AccessToken")
ROUTER_ACCESSES = _skupper("routeraccesses", "RouterAccess")
SECURED_ACCESSES = _skupper("securedaccesses", "SecuredAccess")
CERTIFICATES = _skupper("certificates", "Certificate")
