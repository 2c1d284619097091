"""Definitions of the kinds of skupper.io/v2alpha1, with the fields and columns of the 2.2.1 release.

Structural schemas: the API server refuses unknown fields under strict validation and drops them otherwise, except in
`settings`. A test compares fields, requirements and columns with the real definitions.
"""

from __future__ import annotations

from sandbox.api.kinds import Obj
from sandbox.skupper.controller.kinds import GROUP

STRING: Obj = {"type": "string"}
SETTINGS: Obj = {"type": "object", "additionalProperties": STRING}
"""A map of strings: any keys, so the only place where a Skupper object takes unknown fields."""
STRINGS: Obj = {"type": "array", "items": STRING}
_TYPES: dict[str, Obj] = {
    "": STRING,
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "duration": {"type": "string", "format": "duration"},
    "time": {"type": "string", "format": "date-time"},
    "strings": STRINGS,
    "settings": SETTINGS,
}


def fields(text: str, **nested: Obj) -> Obj:
    """An object's schema: `name` for a string, `name:TYPE` for one of `_TYPES`, `name!` where it is required.

    `nested` are properties with schemas of their own; one whose name is also in `text` only gets its `!` from there.
    """
    properties: Obj = {}
    required = []
    for word in text.split():
        name, _, kind = word.partition(":")
        if name.endswith("!"):
            name = name[:-1]
            required.append(name)
        properties[name] = nested.get(name) or _TYPES[kind]
    schema: Obj = {"type": "object", "properties": {**properties, **nested}}
    return schema | ({"required": required} if required else {})


def _list_of(item: Obj) -> Obj:
    return {"type": "array", "items": item}


def _choice(*values: str) -> Obj:
    return {"type": "string", "enum": list(values)}


_LABEL = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
# Kubernetes' own schema of a condition.
_CONDITION = fields(
    "lastTransitionTime!:time message! reason! status! type!",
    message={"type": "string", "maxLength": 32768},
    observedGeneration={"type": "integer", "format": "int64", "minimum": 0},
    reason={
        "type": "string",
        "minLength": 1,
        "maxLength": 1024,
        "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
    },
    status=_choice("True", "False", "Unknown"),
    type={"type": "string", "maxLength": 316, "pattern": f"^({_SUBDOMAIN}/)?({_LABEL})$"},
)


def _status(text: str = "", **nested: Obj) -> Obj:
    return fields(f"status message {text}", conditions=_list_of(_CONDITION), **nested)


def _column(name: str, path: str, kind: str = "string") -> Obj:
    return {"name": name, "type": kind, "jsonPath": path}


_ENDPOINTS = _list_of(fields("name host port group"))
_OBSERVER = _choice("auto", "none", "http1", "http2")
_SELECTED_PODS = _list_of(fields("name ip"))
_STATUS = _column("Status", ".status.status")
_MESSAGE = _column("Message", ".status.message")
_ROUTING_KEY = _column("Routing Key", ".spec.routingKey")
_PORT = _column("Port", ".spec.port", "integer")
_HOST = _column("Host", ".spec.host")
_SELECTOR = _column("Selector", ".spec.selector")
_MATCHING_LISTENER = _column("Has Matching Listener", ".status.hasMatchingListener", "boolean")


def definitions() -> list[Obj]:
    """All twelve CustomResourceDefinitions, ready to be applied."""
    return [_site(), _listener(), _connector(), *_links_and_tokens(), *_access(), *_attached(), _multi_key_listener()]


def _definition(kind: str, short_names: str, schema: Obj, *columns: Obj) -> Obj:
    singular = kind.lower()
    plural = f"{singular}es" if singular.endswith("s") else f"{singular}s"
    names: Obj = {"plural": plural, "singular": singular, "kind": kind, "listKind": f"{kind}List"}
    if short_names:
        names["shortNames"] = short_names.split()
    version: Obj = {
        "name": "v2alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        "additionalPrinterColumns": list(columns),
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def _kind(spec: Obj, status: Obj) -> Obj:
    return fields("", spec=spec, status=status)


def _site() -> Obj:
    remote = fields(
        "id name namespace platform version",
        links=_list_of(fields("name remoteSiteId remoteSiteName operational:boolean")),
        services=_list_of(fields("routingKey connectors:strings listeners:strings")),
    )
    status = _status(
        "defaultIssuer sitesInNetwork:integer",
        controller=fields("name namespace version"),
        endpoints=_ENDPOINTS,
        network=_list_of(remote),
    )
    spec = fields("serviceAccount linkAccess defaultIssuer ha:boolean edge:boolean settings:settings")
    count = _column("Sites In Network", ".status.sitesInNetwork", "integer")
    return _definition("Site", "st", _kind(spec, status), _STATUS, count, _MESSAGE)


def _listener() -> Obj:
    spec = fields(
        "routingKey! host! port!:integer tlsCredentials type exposePodsByName:boolean settings:settings",
        observer=_OBSERVER,
    )
    matching = _column("Has Matching Connector", ".status.hasMatchingConnector", "boolean")
    schema = _kind(spec, _status("hasMatchingConnector:boolean"))
    return _definition("Listener", "lnr", schema, _ROUTING_KEY, _PORT, _HOST, _STATUS, matching, _MESSAGE)


def _connector() -> Obj:
    spec = fields(
        "routingKey! port!:integer selector host tlsCredentials useClientCert:boolean verifyHostname:boolean type"
        " includeNotReadyPods:boolean exposePodsByName:boolean settings:settings"
    )
    spec["oneOf"] = [{"required": ["selector"]}, {"required": ["host"]}]
    schema = _kind(spec, _status("hasMatchingListener:boolean", selectedPods=_SELECTED_PODS))
    columns = (_ROUTING_KEY, _PORT, _HOST, _SELECTOR, _STATUS, _MATCHING_LISTENER, _MESSAGE)
    return _definition("Connector", "cnr", schema, *columns)


def _links_and_tokens() -> list[Obj]:
    link = _kind(
        fields("endpoints! tlsCredentials cost:integer settings:settings", endpoints=_ENDPOINTS),
        _status("remoteSiteId remoteSiteName"),
    )
    grant = _kind(
        fields("redemptionsAllowed:integer expirationWindow:duration code issuer settings:settings"),
        _status("url code ca redemptions:integer expirationTime:time"),
    )
    token = _kind(fields("url! code! ca! linkCost:integer settings:settings"), _status("redeemed:boolean"))
    grant_columns = (
        _column("Redemptions Allowed", ".spec.redemptionsAllowed", "integer"),
        _column("Redemptions Made", ".status.redemptions", "integer"),
        _column("Expiration", ".status.expirationTime"),
    )
    token_columns = (_column("URL", ".spec.url"), _column("Redeemed", ".status.redeemed", "boolean"))
    remote = _column("Remote Site", ".status.remoteSiteName")
    return [
        _definition("Link", "ln", link, _STATUS, remote, _MESSAGE),
        _definition("AccessGrant", "grant gr", grant, *grant_columns, _STATUS, _MESSAGE),
        _definition("AccessToken", "token to", token, *token_columns, _STATUS, _MESSAGE),
    ]


def _access() -> list[Obj]:
    router = fields(
        "roles! tlsCredentials! generateTlsCredentials:boolean issuer accessType bindHost"
        " subjectAlternativeNames:strings settings:settings",
        roles=_list_of(fields("name! port:integer")),
    )
    secured = fields(
        "ports! selector!:settings issuer certificate accessType settings:settings",
        ports=_list_of(fields("name! port!:integer targetPort:integer protocol")),
    )
    certificate = fields(
        "ca! subject! hosts:strings client:boolean server:boolean signing:boolean settings:settings",
    )
    columns = (
        _column("CA", ".spec.ca"),
        *(_column(use, f".spec.{use.lower()}", "boolean") for use in ("Server", "Client", "Signing")),
        _STATUS,
        _column("Expiration", ".status.expiration"),
        _MESSAGE,
    )
    secured_status = _status("ca", endpoints=_ENDPOINTS)
    return [
        _definition("RouterAccess", "", _kind(router, _status(endpoints=_ENDPOINTS)), _STATUS, _MESSAGE),
        _definition("SecuredAccess", "", _kind(secured, secured_status), _STATUS, _MESSAGE),
        _definition("Certificate", "", _kind(certificate, _status("expiration:time")), *columns),
    ]


def _attached() -> list[Obj]:
    connector = fields(
        "siteNamespace! port!:integer selector! tlsCredentials useClientCert:boolean type includeNotReadyPods:boolean"
        " settings:settings"
    )
    binding = fields("connectorNamespace! routingKey! exposePodsByName:boolean settings:settings")
    connector_schema = _kind(connector, _status(selectedPods=_SELECTED_PODS))
    binding_schema = _kind(binding, _status("hasMatchingListener:boolean"))
    site = _column("Site Namespace", ".spec.siteNamespace")
    namespace = _column("Connector Namespace", ".spec.connectorNamespace")
    columns = (_ROUTING_KEY, namespace, _STATUS, _MATCHING_LISTENER)
    return [
        _definition("AttachedConnector", "acnr", connector_schema, _PORT, _SELECTOR, site, _STATUS),
        _definition("AttachedConnectorBinding", "acnrb", binding_schema, *columns),
    ]


def _multi_key_listener() -> Obj:
    ordered = STRINGS | {"minItems": 1, "maxItems": 256, "x-kubernetes-list-type": "set"}
    weights: Obj = {
        "type": "object",
        "additionalProperties": {"type": "integer"},
        "x-kubernetes-map-type": "granular",
    }
    limited = weights | {"minProperties": 1, "maxProperties": 256}
    either = {"rule": "has(self.priority) != has(self.weighted)", "message": "needs priority or weighted"}
    same = {"rule": "has(self.priority) == has(oldSelf.priority)", "message": "the strategy's type cannot be changed"}
    strategy = fields(
        "",
        priority=fields("routingKeys!", routingKeys=ordered),
        weighted=fields("routingKeys!", routingKeys=limited),
    )
    reachable = fields(
        "",
        priority=fields("routingKeysReachable!:strings"),
        weighted=fields("routingKeysReachable!", routingKeysReachable=weights),
    )
    spec = fields(
        "host! port!:integer strategy! requireClientCert:boolean settings:settings tlsCredentials",
        observer=_OBSERVER,
        strategy=strategy | {"x-kubernetes-validations": [either, same]},
    )
    status = _status("hasDestination:boolean", strategy=reachable | {"x-kubernetes-validations": [either]})
    schema = fields("apiVersion kind spec!", metadata={"type": "object"}, spec=spec, status=status)
    destination = _column("HasDestination", ".status.hasDestination", "boolean")
    return _definition("MultiKeyListener", "", schema, _STATUS, _MESSAGE, destination)
