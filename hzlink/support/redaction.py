"""Removes secrets from the objects and texts of a support bundle. Pure.

It removes too much rather than too little: all that looks like a secret by its name, form or position, and each value
that was found at such a position, wherever else it occurs.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from hzlink.model.objects import Object

REDACTED = "[redacted]"
# Shorter values are removed only at their own position: elsewhere they would match parts of other words.
MIN_KNOWN = 6

_WORDS = (
    r"passw|passphrase|passcode|(?<![a-z])pwd(?![a-z])|secret|token|credential|licen[cs]e|cookie|dockerconfig|"
    r"(?:api|access|private|signing|encryption|auth|shared|master)[-_.]?key"
)
_SECRET_NAME = re.compile(_WORDS, re.IGNORECASE)
# Names of fields that refer to a secret, or that describe one.
_HARMLESS_NAME = re.compile(
    r"(?:names?|refs?|files?|path|dir|seconds|window|mode|type|count|allowed|polic(?:y|ies)|class|enabled|expiration)$"
    # The name of the Secret that a Link, a Listener or a Connector uses.
    r"|^tlsCredentials$",
    re.IGNORECASE,
)
_HARMLESS_VALUE = re.compile(r"[\"'\\]*(?:true|false|null|none|yes|no)?[\"'\\]*,?", re.IGNORECASE)

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TOKEN_KINDS = ("AccessGrant", "AccessToken")
_TOKEN_FIELDS = ("code", "ca")

# A line without a match can only contain known secrets. Most lines of a log have no match.
_SUSPICIOUS = re.compile(
    rf"{_WORDS}|-----(?:BEGIN|END) |LS0tLS1CRUdJTi|bearer|authorization|eyJ|://|\bcode\b|mc-conf|[A-Za-z0-9+/]{{40}}",
    re.IGNORECASE,
)
_NAME = rf"[\w.-]{{0,60}}?(?:{_WORDS})[\w.-]{{0,60}}"
# The same pattern without its prefix, which is fast to search anywhere in a line.
_TAIL = rf"(?:tls)?(?:{_WORDS})[\w.-]{{0,60}}"
_VALUE = r"""\\"[^"\\]*\\"|"(?:[^"\\]|\\.)*"|'[^']*'|\[[^\]\n]*\]|[^\s,;&"'{}<\[]+"""
_IS = r"""\\?["']?[ \t]*[:=][ \t]*"""

_Replacement = str | Callable[[re.Match[str]], str]
_Rule = tuple[re.Pattern[str], _Replacement]


def _unless_harmless(match: re.Match[str]) -> str:
    if _HARMLESS_NAME.search(match["name"]) or _HARMLESS_VALUE.fullmatch(match["value"]):
        return match[0]
    return f"{match['before']}{REDACTED}"


def _named(before: str, value: str, flags: re.RegexFlag = re.NOFLAG) -> _Rule:
    """A rule for a value by its name. The group `before`, which contains `name`, is followed by the group `value`."""
    return re.compile(rf"(?P<before>{before})(?P<value>{value})", re.IGNORECASE | flags), _unless_harmless


# PEM: complete keys and certificates; blocks without an end; the last lines of blocks without a beginning.
_PEM_RULES: tuple[_Rule, ...] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----.{0,20000}?-----END [A-Z0-9 ]+-----", re.DOTALL), REDACTED),
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*(?:\n(?:\S+[ ])?[A-Za-z0-9+/=]{16,}[ \t]*$)*", re.MULTILINE), REDACTED),
    (re.compile(r"^(?:.*\n)?.*-----END [A-Z0-9 ]+-----", re.MULTILINE), REDACTED),
)
_RULES: tuple[_Rule, ...] = (
    (re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]*"), REDACTED),
    # A long base64 word at a line's end, such as the middle of a PEM block. Hexadecimal digests stay.
    (
        re.compile(r"(?<![^\s\"'|])(?=\S*[A-Z])(?=\S*[0-9])[A-Za-z0-9+/]{40,}={0,2}(?=[\"',]*\s*$)", re.MULTILINE),
        REDACTED,
    ),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?"), REDACTED),
    (re.compile(rf"(\bauthorization{_IS}[\"']?(?:\w+\s+)?)[^\s\"',;]+", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"(\bbearer\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"(\w://[^\s/:@]*):[^\s/@]+@"), rf"\1:{REDACTED}@"),
    # A token's code is 24 letters and digits; an exit code is not.
    (
        re.compile(
            rf"(\bcode{_IS}\\?[\"']?)(?:(?=\S*[0-9])[A-Za-z0-9]{{12,}}|[A-Za-z0-9]{{20,}})(?![A-Za-z0-9])",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    # The command that creates users of Management Center: mc-conf.sh user create -n=admin -p=...
    (re.compile(r"(mc-conf\S*[^\n]*?\s-p[= ])\S+"), rf"\1{REDACTED}"),
    # name: PASSWORD, value: ...
    _named(rf"\bname{_IS}\\?[\"']?(?P<name>{_NAME})\\?[\"']?[\s,]+\\?[\"']?value{_IS}", _VALUE),
    # <password>...</password> and <property name="password">...</property>
    _named(rf"<(?P<name>{_NAME})(?:\s[^>]*)?>", r"[^<]+"),
    _named(rf"\bname=[\"'](?P<name>{_NAME})[\"'][^>]*>", r"[^<]+"),
    # A YAML block scalar: all lines with more indentation.
    _named(
        rf"^(?P<indent>[ \t]*)(?:- )?[\"']?(?P<name>{_NAME})[\"']?:[ \t]*",
        r"[|>][+-]?\d*[ \t]*(?:\n(?:(?P=indent)[ \t]+.*|[ \t]*(?=\n)))+",
        re.MULTILINE,
    ),
    # password: and the rest of the line, also after the time of a log line
    _named(rf"^(?:\S+Z )?\s*(?:- )?[\"']?(?P<name>{_NAME}){_IS}", r"\S.*$", re.MULTILINE),
    # --password word, and password=word anywhere
    _named(rf"(?<!\S)--?(?P<name>{_NAME})[ \t]+", r"[^\s=-]\S*"),
    _named(rf"(?P<name>{_TAIL}){_IS}", _VALUE),
)
# The number of lines after a suspicious line that may belong to it, such as a YAML block or a list.
_FOLLOWING_LINES = 2


def looks_secret(name: str) -> bool:
    """Whether a setting of that name has a secret value."""
    return bool(_SECRET_NAME.search(name)) and not _HARMLESS_NAME.search(name)


class Redaction:
    """Removes known secrets, and everything that looks like a secret."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add_from(self, items: Iterable[Object], public: Iterable[str] = ()) -> None:
        """Adds the secrets in these objects. Values in `public`, such as objects' names, are not secrets."""
        found: set[str] = set()

        def note(value: str) -> str:
            found.add(value)
            return REDACTED

        for item in items:
            _item(item, note, lambda text: text)
        self.add(found - set(public))

    def add(self, values: Iterable[str]) -> None:
        """Adds values to remove wherever they occur: unchanged, in base64, in JSON and in URLs."""
        for value in values:
            for part in {value.strip(), *(line for line in value.splitlines() if len(line) >= 16)}:
                if len(part) >= MIN_KNOWN and part != REDACTED and not part.startswith("-----"):
                    encoded = base64.b64encode(part.encode()).decode().rstrip("=")
                    self._known |= {part, encoded, json.dumps(part)[1:-1], quote(part, safe="")}
        longest_first = sorted(self._known, key=lambda known: (-len(known), known))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """The text, such as a log, without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(REDACTED, text)
        if "-----" in text:
            text = _apply(_PEM_RULES, text)
        if "\n" not in text:
            return _apply(_RULES, text) if _SUSPICIOUS.search(text) else text
        return "\n".join(
            _apply(_RULES, "\n".join(lines)) if suspicious else "\n".join(lines)
            for suspicious, lines in _passages(text.split("\n"))
        )

    def item(self, item: Object) -> dict[str, Any]:
        """A copy of an object without secrets and without managedFields."""
        return _item(item, lambda _: REDACTED, self.text)


def _apply(rules: Iterable[_Rule], text: str) -> str:
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


def _passages(lines: Sequence[str]) -> Iterator[tuple[bool, list[str]]]:
    """Groups the lines into passages; each with whether it may contain secrets. Most lines of a log do not."""
    passage: list[str] = []
    now, remaining = False, 0
    for line in lines:
        if _SUSPICIOUS.search(line):
            remaining = _FOLLOWING_LINES
        elif remaining and not line.startswith((" ", "\t")):
            remaining -= 1
        if bool(remaining) is not now and passage:
            yield now, passage
            passage = []
        now = bool(remaining)
        passage.append(line)
    yield now, passage


def _item(item: Object, replace_secret: Callable[[str], str], text: Callable[[str], str]) -> dict[str, Any]:
    """A copy of the object: `replace_secret` replaces secrets, `text` any other string."""
    copy: dict[str, Any] = {}
    for key, value in item.items():
        if key == "metadata" and isinstance(value, Mapping):
            copy[key] = _metadata(value, replace_secret, text)
        elif item.get("kind") == "Secret" and key in ("data", "stringData") and isinstance(value, Mapping):
            copy[key] = {name: replace_secret(str(secret)) for name, secret in value.items()}
        elif item.get("kind") in _TOKEN_KINDS and key in ("spec", "status") and isinstance(value, Mapping):
            secrets = {name: replace_secret(str(value[name])) for name in _TOKEN_FIELDS if name in value}
            copy[key] = {**_walk(value, replace_secret, text), **secrets}
        else:
            copy[key] = _walk(value, replace_secret, text)
    return copy


def _metadata(
    metadata: Mapping[str, Any], replace_secret: Callable[[str], str], text: Callable[[str], str]
) -> dict[str, Any]:
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    copy: dict[str, Any] = _walk(kept, replace_secret, text)
    annotations = copy.get("annotations")
    if isinstance(annotations, dict) and _LAST_APPLIED in annotations:
        # The annotation contains the complete object as a text.
        annotations[_LAST_APPLIED] = REDACTED
    return copy


def _walk(node: Any, replace_secret: Callable[[str], str], text: Callable[[str], str]) -> Any:
    if isinstance(node, Mapping):
        return {text(str(key)): _value(str(key), value, node, replace_secret, text) for key, value in node.items()}
    if isinstance(node, list):
        before = ["", *node]
        return [
            replace_secret(one) if isinstance(one, str) and _is_option(last) else _walk(one, replace_secret, text)
            for last, one in zip(before, node, strict=False)
        ]
    return text(node) if isinstance(node, str) else node


def _value(
    key: str, value: Any, node: Mapping[str, Any], replace_secret: Callable[[str], str], text: Callable[[str], str]
) -> Any:
    # An entry of `env`, or of the same structure.
    named = key == "value" and looks_secret(str(node.get("name", "")))
    if named or looks_secret(key):
        if isinstance(value, str) and not _HARMLESS_VALUE.fullmatch(value):
            return replace_secret(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return replace_secret(str(value))
        if isinstance(value, list):
            return [replace_secret(one) if isinstance(one, str) else _walk(one, replace_secret, text) for one in value]
    return _walk(value, replace_secret, text)


def _is_option(word: Any) -> bool:
    """Whether an argument is an option whose value is the next argument and a secret."""
    return isinstance(word, str) and word.startswith("-") and "=" not in word and " " not in word and looks_secret(word)
