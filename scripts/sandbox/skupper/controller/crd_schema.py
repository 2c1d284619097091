"""Small builders for the OpenAPI schemas of custom resource definitions."""

from __future__ import annotations

from sandbox.api.kinds import Obj

STRING: Obj = {"type": "string"}
INTEGER: Obj = {"type": "integer"}
BOOLEAN: Obj = {"type": "boolean"}
DURATION: Obj = {"type": "string", "format": "duration"}
TIME: Obj = {"type": "string", "format": "date-time"}
STRINGS: Obj = {"type": "array", "items": STRING}
SETTINGS: Obj = {"type": "object", "additionalProperties": STRING}
"""A map of texts: any keys, and so the only place where a Skupper object takes unknown fields."""

_LABEL = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"


def fields(*required: str, **properties: Obj) -> Obj:
    """An object with these properties, of which `required` must be there."""
    schema: Obj = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return schema


def many(item: Obj) -> Obj:
    """A list of such items."""
    return {"type": "array", "items": item}


def choice(*values: str) -> Obj:
    """One of these texts."""
    return {"type": "string", "enum": list(values)}


def conditions() -> Obj:
    """Kubernetes' own list of conditions."""
    condition = fields(
        "lastTransitionTime",
        "message",
        "reason",
        "status",
        "type",
        lastTransitionTime=TIME,
        message={"type": "string", "maxLength": 32768},
        observedGeneration={"type": "integer", "format": "int64", "minimum": 0},
        reason={
            "type": "string",
            "minLength": 1,
            "maxLength": 1024,
            "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
        },
        status=choice("True", "False", "Unknown"),
        type={"type": "string", "maxLength": 316, "pattern": f"^({_SUBDOMAIN}/)?({_LABEL})$"},
    )
    return many(condition)


def status(**properties: Obj) -> Obj:
    """A status as nearly every Skupper kind has it: state, message, conditions and then its own fields."""
    return fields(status=STRING, message=STRING, conditions=conditions(), **properties)


def endpoints() -> Obj:
    """Where routers (or the grant server) can be reached."""
    return many(fields(name=STRING, host=STRING, port=STRING, group=STRING))


def column(name: str, path: str, kind: str = "string") -> Obj:
    """One printer column of `kubectl get`."""
    return {"name": name, "type": kind, "jsonPath": path}
