"""kubectl's verbs for one site: every call has its kubeconfig, context and namespace.

Values are given as `--flag=value`, so that a context that begins with a dash stays a value. Every call has a deadline.
Every failure is raised as a KubectlError that names the operation.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from hzlink.model import objects, schema
from hzlink.model.objects import Object, Ref
from hzlink.model.topology import MANAGER, Site
from hzlink.programs import admission, answers, applied, credentials, output, process, refusals, repeating
from hzlink.programs.refusals import KubectlError, Refusal

# For one call. A cluster that does not answer a list within this time counts as unreachable.
CALL_DEADLINE_SECONDS = 20.0
# For one request. An apply makes several.
REQUEST_DEADLINE_SECONDS = 15.0
APPLY_DEADLINE_SECONDS = 60.0
PING_DEADLINE_SECONDS = 5.0

# For objects that hzlink generates: kubectl does not have to read the server's schema first, which takes most of the
# time of a call (measured). In a server-side apply the server itself refuses undeclared fields.
_UNCHECKED = ("--validate=false",)

HINT = "install kubectl (https://kubernetes.io/docs/tasks/tools/), or: pip install 'hzlink[kubectl]'"

_NAMES_AND_KEYS = (
    '{{range .items}}{{.metadata.name}}{{"\\t"}}{{.type}}'
    '{{range $key, $value := .data}}{{"\\t"}}{{$key}}{{end}}{{"\\n"}}{{end}}'
)

# Marks the requested line among other output.
_OWNERS = "owners-of"


class Kubectl:
    """kubectl for one site."""

    def __init__(self, site: Site, deadline: float = CALL_DEADLINE_SECONDS, until: float | None = None) -> None:
        """`until`: when to stop repeating calls that failed with a temporary error, in seconds of time.monotonic."""
        self.site = site
        self.deadline = deadline
        self.until = until

    async def objects(
        self, resources: Iterable[str], selector: str | None = None, *, managed: bool = False
    ) -> list[Object]:
        """All objects of the resource types in the site's namespace, in one call; with `managed`, their managedFields.

        Raises:
            KubectlError: also if only one of the types cannot be read.
        """
        args = ["get", ",".join(map(objects.versioned, resources)), "--output=json"]
        if managed:
            args.append("--show-managed-fields")
        if selector:
            args.append(f"--selector={selector}")
        return answers.items(self.site, await self._read("read objects", *args))

    async def get(self, target: Ref) -> Object | None:
        """One object; None if it does not exist."""
        text = await self._read(f"read {target}", "get", target.argument, "--output=json")
        return schema.fitted(answers.document(self.site, text)) if text.strip() else None

    async def owner_kinds(self, target: Ref) -> list[str] | None:
        """The kinds of an object's owners, without reading the object; None if it does not exist."""
        path = f"--output=jsonpath={_OWNERS} {{.kind}} {{.metadata.ownerReferences[*].kind}}"
        done = await self._call(f"read the owners of {target}", "get", target.argument, path, "--ignore-not-found")
        words = done.stdout.partition(_OWNERS)[2].split()
        return words[1:] if words else None

    async def ping(self) -> None:
        """Checks that the API server answers, by a request that needs no rights.

        Raises:
            KubectlError: it did not answer within `PING_DEADLINE_SECONDS`, or refused.
        """
        await self._call("reach the API server", "get", "--raw=/version", deadline=PING_DEADLINE_SECONDS)

    async def events(self, reasons: Sequence[str] = ()) -> list[Object]:
        """The namespace's Events with these reasons, or all of type Warning, the newest last."""
        found: list[Object] = []
        for selector in [f"reason={reason}" for reason in reasons] or ["type=Warning"]:
            done = await self._call("read events", "get", "events", "--output=json", f"--field-selector={selector}")
            found += answers.items(self.site, done.stdout)
        return sorted(found, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))

    async def namespace(self) -> Object | None:
        """The site's namespace; None if it does not exist."""
        return await self.get(Ref("namespaces", self.site.namespace))

    async def namespace_exists(self) -> bool:
        """Whether the site's namespace exists. If the user may not read namespaces, it is assumed to exist."""
        try:
            return await self.namespace() is not None
        except KubectlError as error:
            if error.refusal is Refusal.FORBIDDEN:
                return True
            raise

    async def lacks_namespace(self) -> KubectlError | None:
        """The error for a site whose namespace does not exist; None if it exists."""
        if await self.namespace_exists():
            return None
        return refusals.explain(self.site, "read objects", f'namespaces "{self.site.namespace}" not found')

    async def listable_types(self) -> list[str]:
        """All types of namespaced objects that this cluster can list."""
        done = await self._call("list types", "api-resources", "--namespaced", "--verbs=list", "--output=name")
        return output.resource_types(done.stdout)

    async def apply(self, items: Sequence[Object], *, force: bool = False) -> list[str]:
        """Server-side apply, as field manager hzlink. Returns kubectl's output line for each object.

        `force` replaces values that other managers have set.
        """
        done = await self._run(
            "apply objects",
            "apply",
            "--server-side",
            f"--field-manager={MANAGER}",
            *(["--force-conflicts"] if force else []),
            *_UNCHECKED,
            "--filename=-",
            stdin=_bundle(items),
            deadline=max(self.deadline, APPLY_DEADLINE_SECONDS),
        )
        if done.code != 0:
            raise applied.naming(await self._refused("apply objects", done), self.site, items, done.stdout)
        return done.stdout.splitlines()

    async def create(self, item: Object) -> Object:
        """Creates an object and returns the server's version of it."""
        doing = f"create {item.get('kind')}"
        args = ("create", *_UNCHECKED, "--filename=-", "--output=json")
        done, tries = await self._try(doing, *args, stdin=_bundle([item]))
        if done.code == 0:
            return answers.document(self.site, done.stdout)
        # An earlier try may have created it although its answer was lost.
        lost = tries > 1 and refusals.classify(done.said) is Refusal.EXISTS
        if lost and (made := await self.get(objects.ref(item))) is not None:
            return made
        raise await self._refused(doing, done)

    async def replace(self, item: Object) -> Object:
        """Replaces an object by a new version of it, and returns the server's version.

        Raises:
            KubectlError: CHANGED if it was changed since it was read; NOT_FOUND if it was deleted.
        """
        done = await self._call(
            f"update {item.get('kind')}",
            "replace",
            *_UNCHECKED,
            "--filename=-",
            "--output=json",
            stdin=json.dumps(item),
        )
        return answers.document(self.site, done.stdout)

    async def delete_as_read(self, target: Ref, item: Object) -> Object:
        """Deletes an object if it was not changed since it was read. Only the API has this option, not kubectl.

        Raises:
            KubectlError: CHANGED if it was changed since it was read; NOT_FOUND if it was deleted.
        """
        plural, _, group = target.resource.partition(".")
        version = str(item["apiVersion"]).rpartition("/")[2]
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        path = f"{root}/namespaces/{self.site.namespace}/{plural}/{target.name}"
        exact = {key: item["metadata"][key] for key in ("uid", "resourceVersion")}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": exact}
        done = await self._call(f"delete {target}", "delete", f"--raw={path}", "--filename=-", stdin=json.dumps(body))
        return answers.document(self.site, done.stdout)

    async def patch(self, target: Ref, patch: Mapping[str, Any]) -> None:
        """Applies a JSON merge patch."""
        body = json.dumps(patch)
        await self._call(f"patch {target}", "patch", target.argument, "--type=merge", f"--patch={body}")

    async def delete(self, targets: Sequence[Ref]) -> None:
        """Deletes the objects without waiting. An object that does not exist is not an error.

        Raises:
            KubectlError: also if a wrapper makes kubectl ask for confirmation: then kubectl deletes nothing and exits
                with 0.
        """
        if targets:
            names = [target.argument for target in targets]
            done = await self._call("delete objects", "delete", "--wait=false", "--ignore-not-found", *names)
            if answers.CANCELLED in done.stdout:
                raise answers.delete_not_confirmed(self.site, done)

    async def wait_gone(self, targets: Sequence[Ref], seconds: float) -> bool:
        """Waits until all of the objects are deleted; False if that takes more than `seconds`.

        Raises:
            KubectlError: the objects cannot be read.
        """
        if not targets:
            return True
        argv = self.argv("wait", "--for=delete", f"--timeout={seconds:.0f}s", *(target.argument for target in targets))
        try:
            done = await process.run(argv, deadline=seconds + 5)
        except process.DeadlineExceeded:
            return False
        if done.code != 0 and "timed out waiting" not in done.said:
            raise await self._refused("wait until objects are deleted", done)
        return done.code == 0

    async def restart(self, target: Ref) -> None:
        """`kubectl rollout restart`."""
        await self._call(f"restart {target}", "rollout", "restart", target.argument, f"--field-manager={MANAGER}")

    async def logs(
        self, selector: str, *, since: str | None = None, tail: int = -1, limit_bytes: int = 4_000_000
    ) -> str:
        """The logs of all pods of the selector, each line with its pod and time as prefix.

        At most the last `tail` lines of each pod, and at most `limit_bytes` of them. A pod without a log is left out.
        """
        args = [
            "logs",
            f"--selector={selector}",
            "--prefix",
            "--timestamps",
            "--ignore-errors",
            f"--tail={tail}",
            f"--limit-bytes={limit_bytes}",
            "--max-log-requests=100",
        ]
        if since:
            args.append(f"--since-time={since}")
        return (await self._call("read logs", *args)).stdout

    async def log(self, pod: str, container: str, *, lines: int, limit_bytes: int, previous: bool = False) -> str:
        """The last lines of a container's log, each with its time; with `previous`, of the container's previous run."""
        args = ["logs", pod, f"--container={container}", "--timestamps", f"--tail={lines}"]
        args += [f"--limit-bytes={limit_bytes}", *(["--previous"] if previous else [])]
        return (await self._call(f"read the log of {pod}", *args)).stdout

    async def pod_output(self, pod: str, container: str, *, limit_bytes: int) -> str:
        """A container's log from its beginning, at most `limit_bytes`."""
        args = ["logs", pod, f"--container={container}", f"--limit-bytes={limit_bytes}"]
        return (await self._call(f"read the log of {pod}", *args)).stdout

    async def secret_keys(self) -> list[list[str]]:
        """The name, type and keys of each Secret. hzlink does not get the values."""
        done = await self._call("list secrets", "get", "secrets", f"--output=go-template={_NAMES_AND_KEYS}")
        return [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]

    async def versions(self) -> dict[str, Any]:
        """The document of `kubectl version`: the versions of kubectl and of the API server."""
        return answers.document(self.site, (await self._call("read the version", "version", "--output=json")).stdout)

    @asynccontextmanager
    async def watch(
        self, resource: str, name: str | None = None, selector: str | None = None
    ) -> AsyncIterator[AsyncIterator[tuple[str, Object]]]:
        """The existing objects, then each change, as (ADDED, MODIFIED or DELETED, object), until the block is left.

        The iterator ends when the server ends the watch. It raises a KubectlError if the API server refuses.
        """
        args = ["get", objects.versioned(resource), "--watch", "--output-watch-events", "--output=json"]
        if name is not None:
            args.append(f"--field-selector=metadata.name={name}")
        if selector is not None:
            args.append(f"--selector={selector}")
        async with process.lines(self.argv(*args)) as lines:
            yield self._events(lines, resource)

    async def _events(self, lines: process.Lines, resource: str) -> AsyncIterator[tuple[str, Object]]:
        document: list[str] = []
        async for line in lines:
            if not document and not line.startswith("{"):
                continue  # output of a wrapper
            document.append(line)
            # An event is one line, or it is indented: then only its outermost closing brace is in the first column.
            if line == "}" or (len(document) == 1 and line.endswith("}")):
                event = answers.document(self.site, "\n".join(document))
                document.clear()
                item = schema.fitted(event.get("object"))
                if item is not None:
                    yield str(event.get("type", "")), item
        if lines.completed.code != 0:
            raise await self._refused(f"watch {resource}", lines.completed)

    def argv(self, *args: str) -> list[str]:
        """The complete command line.

        Raises:
            KubectlError: the context's credential plugin gave no credential.
        """
        argv = [process.require_program("kubectl", HINT)]
        if kubeconfig := credentials.kubeconfig(self.site):
            argv.append(f"--kubeconfig={kubeconfig}")
        return [*argv, f"--context={self.site.context}", f"--namespace={self.site.namespace}", *args]

    async def _call(
        self, doing: str, *args: str, stdin: str | None = None, deadline: float | None = None
    ) -> process.Completed:
        done = await self._run(doing, *args, stdin=stdin, deadline=deadline)
        if done.code != 0:
            raise await self._refused(doing, done)
        return done

    async def _read(self, doing: str, *args: str) -> str:
        """The output of a `get` of objects in JSON; empty if they do not exist.

        Output that is only a wrapper's may mean that, too. Then kubectl runs again without --ignore-not-found.
        """
        done = await self._call(doing, *args, "--ignore-not-found")
        if not done.stdout.strip() or output.json_object(done.stdout) is not None:
            return done.stdout
        again = await self._run(doing, *args)
        if again.code != 0 and "(NotFound)" in again.stderr:
            return ""
        if again.code != 0:
            raise await self._refused(doing, again)
        return again.stdout

    async def run_raw(self, *args: str, stdin: str | None = None, deadline: float | None = None) -> process.Completed:
        """Runs kubectl and returns its result, for callers that interpret its errors.

        Raises:
            DeadlineExceeded: it did not end in time.
        """
        slow = credentials.min_call_seconds(self.site)
        limit = max(deadline or self.deadline, slow)
        credential = await credentials.refresh(self.site)
        argv = self.argv(*args)
        # Less than the deadline here, so that kubectl itself reports what did not answer.
        argv.insert(1, f"--request-timeout={min(max(REQUEST_DEADLINE_SECONDS, slow), max(1.0, limit - 2)):.0f}s")
        done = await process.run(argv, deadline=limit, stdin=stdin, env=_fast_env())
        refused = done.code != 0 and refusals.classify(done.said) is Refusal.UNAUTHORIZED
        if refused and await credentials.renew(self.site, credential):
            done = await process.run(argv, deadline=limit, stdin=stdin, env=_fast_env())
        return done

    async def _run(
        self, doing: str, *args: str, stdin: str | None = None, deadline: float | None = None
    ) -> process.Completed:
        return (await self._try(doing, *args, stdin=stdin, deadline=deadline))[0]

    async def _try(
        self, doing: str, *args: str, stdin: str | None = None, deadline: float | None = None
    ) -> tuple[process.Completed, int]:
        """The call's result and the number of tries. The call is repeated while it fails with a temporary error."""

        async def once() -> process.Completed:
            try:
                return await self.run_raw(*args, stdin=stdin, deadline=deadline)
            except process.DeadlineExceeded as error:
                said = f"no answer within {error.seconds:g} s (context deadline exceeded)"
                raise refusals.explain(self.site, doing, said) from None

        replaces = args[0] == "replace"
        return await repeating.while_passing(once, self.until, self.site, doing, replaces=replaces)

    async def _refused(self, doing: str, done: process.Completed) -> KubectlError:
        if done.code < 0:
            return refusals.ended(self.site, doing, -done.code)
        error = refusals.explain(self.site, doing, done.said)
        error.next_step = await self.admission_hint(done.said) or error.next_step
        return error

    async def admission_hint(self, said: str) -> str | None:
        """The command that shows the admission rule that refused; None if no rule refused.

        A refusal names the webhook, not its configuration: this reads the configurations to find it, if the user may.
        """
        hint, webhook = admission.hint(self.site, said), admission.webhook_to_find(said)
        if not webhook:
            return hint
        try:
            done = await self.run_raw("get", admission.CONFIGURATIONS, "--output=json")
        except process.DeadlineExceeded:
            return hint
        # A user who may read only one of the two types gets that one.
        found = answers.items(self.site, done.stdout)
        return admission.configuration_hint(self.site, found, webhook) or hint


def _fast_env() -> dict[str, str]:
    """Variables that save a sixth of the work of a short kubectl run: no garbage collection below 512 MiB.

    A watch runs for long and does not get them. The user's own values take precedence.
    """
    return {} if "GOGC" in os.environ else {"GOGC": "off", "GOMEMLIMIT": os.environ.get("GOMEMLIMIT", "512MiB")}


def _bundle(items: Sequence[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)})
