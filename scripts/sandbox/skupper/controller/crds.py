"""Definitions of the kinds of skupper.io/v2alpha1, with the fields and columns of the 2.2.1 release.

Structural schemas: the API server refuses unknown fields under strict validation and drops them otherwise,
except in `settings`. A test holds fields, requirements and columns against the real definitions.
"""

from __future__ import annotations

from sandbox.api.kinds import Obj
from sandbox.skupper.controller.crd_schema import (
    BOOLEAN,
    DURATION,
    INTEGER,
    SETTINGS,
    STRING,
    STRINGS,
    TIME,
    choice,
    column,
    endpoints,
    fields,
    many,
    status,
)
from sandbox.skupper.controller.kinds import GROUP

_OBSERVER = choice("auto", "none", "http1", "http2")
_SELECTED_PODS = many(fields(name=STRING, ip=STRING))
_STATUS = column("Status", ".status.status")
_MESSAGE = column("Message", ".status.message")
_ROUTING_KEY = column("Routing Key", ".spec.routingKey")
_PORT = column("Port", ".spec.port", "integer")
_SELECTOR = column("Selector", ".spec.selector")
_MATCHING_LISTENER = column("Has Matching Listener", ".status.hasMatchingListener", "boolean")


def definitions() -> list[Obj]:
    """All twelve CustomResourceDefinitions, ready to be applied."""
    return [
        _definition("Site", ["st"], _site(), _SITE_COLUMNS),
        _definition("Listener", ["lnr"], _listener(), _LISTENER_COLUMNS),
        _definition("Connector", ["cnr"], _connector(), _CONNECTOR_COLUMNS),
        _definition("Link", ["ln"], _link(), _LINK_COLUMNS),
        _definition("AccessGrant", ["grant", "gr"], _access_grant(), _GRANT_COLUMNS),
        _definition("AccessToken", ["token", "to"], _access_token(), _TOKEN_COLUMNS),
        _definition("RouterAccess", [], _router_access(), [_STATUS, _MESSAGE], plural="routeraccesses"),
        _definition("SecuredAccess", [], _secured_access(), [_STATUS, _MESSAGE], plural="securedaccesses"),
        _definition("Certificate", [], _certificate(), _CERTIFICATE_COLUMNS),
        _definition("AttachedConnector", ["acnr"], _attached_connector(), _ATTACHED_COLUMNS),
        _definition("AttachedConnectorBinding", ["acnrb"], _binding(), _BINDING_COLUMNS),
        _definition("MultiKeyListener", [], _multi_key_listener(), _MULTI_KEY_COLUMNS),
    ]


def _definition(kind: str, short_names: list[str], schema: Obj, columns: list[Obj], *, plural: str = "") -> Obj:
    singular = kind.lower()
    plural = plural or f"{singular}s"
    names: Obj = {"plural": plural, "singular": singular, "kind": kind, "listKind": f"{kind}List"}
    if short_names:
        names["shortNames"] = short_names
    version: Obj = {
        "name": "v2alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


_SITE_COLUMNS = [_STATUS, column("Sites In Network", ".status.sitesInNetwork", "integer"), _MESSAGE]


def _site() -> Obj:
    link = fields(name=STRING, remoteSiteId=STRING, remoteSiteName=STRING, operational=BOOLEAN)
    service = fields(routingKey=STRING, connectors=STRINGS, listeners=STRINGS)
    remote = fields(
        id=STRING,
        name=STRING,
        namespace=STRING,
        platform=STRING,
        version=STRING,
        links=many(link),
        services=many(service),
    )
    return fields(
        spec=fields(
            serviceAccount=STRING,
            linkAccess=STRING,
            defaultIssuer=STRING,
            ha=BOOLEAN,
            edge=BOOLEAN,
            settings=SETTINGS,
        ),
        status=status(
            defaultIssuer=STRING,
            controller=fields(name=STRING, namespace=STRING, version=STRING),
            endpoints=endpoints(),
            sitesInNetwork=INTEGER,
            network=many(remote),
        ),
    )


_LISTENER_COLUMNS = [
    _ROUTING_KEY,
    _PORT,
    column("Host", ".spec.host"),
    _STATUS,
    column("Has Matching Connector", ".status.hasMatchingConnector", "boolean"),
    _MESSAGE,
]


def _listener() -> Obj:
    spec = fields(
        "routingKey",
        "host",
        "port",
        observer=_OBSERVER,
        routingKey=STRING,
        host=STRING,
        port=INTEGER,
        tlsCredentials=STRING,
        type=STRING,
        exposePodsByName=BOOLEAN,
        settings=SETTINGS,
    )
    return fields(spec=spec, status=status(hasMatchingConnector=BOOLEAN))


_CONNECTOR_COLUMNS = [
    _ROUTING_KEY,
    _PORT,
    column("Host", ".spec.host"),
    _SELECTOR,
    _STATUS,
    _MATCHING_LISTENER,
    _MESSAGE,
]


def _connector() -> Obj:
    spec = fields(
        "routingKey",
        "port",
        routingKey=STRING,
        port=INTEGER,
        selector=STRING,
        host=STRING,
        tlsCredentials=STRING,
        useClientCert=BOOLEAN,
        verifyHostname=BOOLEAN,
        type=STRING,
        includeNotReadyPods=BOOLEAN,
        exposePodsByName=BOOLEAN,
        settings=SETTINGS,
    )
    spec["oneOf"] = [{"required": ["selector"]}, {"required": ["host"]}]
    return fields(spec=spec, status=status(hasMatchingListener=BOOLEAN, selectedPods=_SELECTED_PODS))


_LINK_COLUMNS = [_STATUS, column("Remote Site", ".status.remoteSiteName"), _MESSAGE]


def _link() -> Obj:
    spec = fields("endpoints", endpoints=endpoints(), tlsCredentials=STRING, cost=INTEGER, settings=SETTINGS)
    return fields(spec=spec, status=status(remoteSiteId=STRING, remoteSiteName=STRING))


_GRANT_COLUMNS = [
    column("Redemptions Allowed", ".spec.redemptionsAllowed", "integer"),
    column("Redemptions Made", ".status.redemptions", "integer"),
    column("Expiration", ".status.expirationTime"),
    _STATUS,
    _MESSAGE,
]


def _access_grant() -> Obj:
    spec = fields(redemptionsAllowed=INTEGER, expirationWindow=DURATION, code=STRING, issuer=STRING, settings=SETTINGS)
    own = {"url": STRING, "code": STRING, "ca": STRING, "redemptions": INTEGER, "expirationTime": TIME}
    return fields(spec=spec, status=status(**own))


_TOKEN_COLUMNS = [
    column("URL", ".spec.url"),
    column("Redeemed", ".status.redeemed", "boolean"),
    _STATUS,
    _MESSAGE,
]


def _access_token() -> Obj:
    spec = fields("url", "code", "ca", url=STRING, code=STRING, ca=STRING, linkCost=INTEGER, settings=SETTINGS)
    return fields(spec=spec, status=status(redeemed=BOOLEAN))


def _router_access() -> Obj:
    spec = fields(
        "roles",
        "tlsCredentials",
        roles=many(fields("name", name=STRING, port=INTEGER)),
        generateTlsCredentials=BOOLEAN,
        issuer=STRING,
        accessType=STRING,
        tlsCredentials=STRING,
        bindHost=STRING,
        subjectAlternativeNames=STRINGS,
        settings=SETTINGS,
    )
    return fields(spec=spec, status=status(endpoints=endpoints()))


def _secured_access() -> Obj:
    port = fields("name", "port", name=STRING, port=INTEGER, targetPort=INTEGER, protocol=STRING)
    spec = fields(
        "ports",
        "selector",
        ports=many(port),
        selector=SETTINGS,
        issuer=STRING,
        certificate=STRING,
        accessType=STRING,
        settings=SETTINGS,
    )
    return fields(spec=spec, status=status(endpoints=endpoints(), ca=STRING))


_CERTIFICATE_COLUMNS = [
    column("CA", ".spec.ca"),
    column("Server", ".spec.server", "boolean"),
    column("Client", ".spec.client", "boolean"),
    column("Signing", ".spec.signing", "boolean"),
    _STATUS,
    column("Expiration", ".status.expiration"),
    _MESSAGE,
]


def _certificate() -> Obj:
    spec = fields(
        "ca",
        "subject",
        ca=STRING,
        subject=STRING,
        hosts=STRINGS,
        client=BOOLEAN,
        server=BOOLEAN,
        signing=BOOLEAN,
        settings=SETTINGS,
    )
    return fields(spec=spec, status=status(expiration=TIME))


_ATTACHED_COLUMNS = [_PORT, _SELECTOR, column("Site Namespace", ".spec.siteNamespace"), _STATUS]


def _attached_connector() -> Obj:
    spec = fields(
        "siteNamespace",
        "port",
        "selector",
        siteNamespace=STRING,
        port=INTEGER,
        selector=STRING,
        tlsCredentials=STRING,
        useClientCert=BOOLEAN,
        type=STRING,
        includeNotReadyPods=BOOLEAN,
        settings=SETTINGS,
    )
    return fields(spec=spec, status=status(selectedPods=_SELECTED_PODS))


_BINDING_COLUMNS = [
    _ROUTING_KEY,
    column("Connector Namespace", ".spec.connectorNamespace"),
    _STATUS,
    _MATCHING_LISTENER,
]


def _binding() -> Obj:
    spec = fields(
        "connectorNamespace",
        "routingKey",
        connectorNamespace=STRING,
        routingKey=STRING,
        exposePodsByName=BOOLEAN,
        settings=SETTINGS,
    )
    return fields(spec=spec, status=status(hasMatchingListener=BOOLEAN))


_MULTI_KEY_COLUMNS = [
    _STATUS,
    _MESSAGE,
    column("HasDestination", ".status.hasDestination", "boolean"),
]
_EITHER = {"rule": "has(self.priority) != has(self.weighted)", "message": "needs priority or weighted"}
_SAME_KIND = {
    "rule": "has(self.priority) == has(oldSelf.priority)",
    "message": "the kind of strategy cannot be changed",
}


def _multi_key_listener() -> Obj:
    ordered = STRINGS | {"minItems": 1, "maxItems": 256, "x-kubernetes-list-type": "set"}
    weights: Obj = {
        "type": "object",
        "additionalProperties": INTEGER,
        "x-kubernetes-map-type": "granular",
    }
    wanted = fields(
        priority=fields("routingKeys", routingKeys=ordered),
        weighted=fields("routingKeys", routingKeys=weights | {"minProperties": 1, "maxProperties": 256}),
    )
    found = fields(
        priority=fields("routingKeysReachable", routingKeysReachable=STRINGS),
        weighted=fields("routingKeysReachable", routingKeysReachable=weights),
    )
    spec = fields(
        "host",
        "port",
        "strategy",
        host=STRING,
        observer=_OBSERVER,
        port=INTEGER,
        requireClientCert=BOOLEAN,
        settings=SETTINGS,
        strategy=wanted | {"x-kubernetes-validations": [_EITHER, _SAME_KIND]},
        tlsCredentials=STRING,
    )
    state = status(hasDestination=BOOLEAN, strategy=found | {"x-kubernetes-validations": [_EITHER]})
    meta: Obj = {"apiVersion": STRING, "kind": STRING, "metadata": {"type": "object"}}
    return fields("spec", **meta, spec=spec, status=state)
