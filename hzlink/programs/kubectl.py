"""kubectl's verbs, bound to one site: kubeconfig, context and namespace go into every call.

Values are given as `--flag=value`, so that a context that begins with a dash stays a value. Nothing here waits
without a deadline. Every failure is raised as a KubectlError that says what was being done.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from hzlink.model import schema
from hzlink.model.objects import Object, Ref, ref
from hzlink.model.topology import MANAGER, Site
from hzlink.programs import admission, answers, applied, credentials, output, process, refusals, repeating
from hzlink.programs.refusals import KubectlError, Refusal

# Seconds for one call. A cluster that does not answer a list within this is as good as unreachable.
CALL_DEADLINE = 20.0
# Seconds for one request, of which an apply makes several.
REQUEST_DEADLINE = 15.0
APPLY_DEADLINE = 60.0
PING_DEADLINE = 5.0

# For objects that hzlink makes itself: kubectl need not fetch the server's schema first.
_UNCHECKED = ("--validate=false",)

HINT = "install kubectl (https://kubernetes.io/docs/tasks/tools/), or: pip install 'hzlink[kubectl]'"

_NAMES_AND_KEYS = (
    '{{range .items}}{{.metadata.name}}{{"\\t"}}{{.type}}'
    '{{range $key, $value := .data}}{{"\\t"}}{{$key}}{{end}}{{"\\n"}}{{end}}'
)


# Begins the line that is asked for, whatever else is printed.
_OWNERS = "owners-of"


class Kubectl:
    """kubectl for one site."""

    def __init__(self, site: Site, deadline: float = CALL_DEADLINE, until: float | None = None) -> None:
        """`until`: up to when (time.monotonic's seconds) a call is repeated that was refused and may pass by itself."""
        self.site = site
        self.deadline = deadline
        self.until = until

    async def objects(
        self, resources: Iterable[str], selector: str | None = None, *, managed: bool = False
    ) -> list[Object]:
        """All objects of the resource types in the site's namespace, in one call; `managed` with their managedFields.

        Raises:
            KubectlError: also when only one of the types could not be read.
        """
        args = ["get", ",".join(resources), "--output=json"]
        if managed:
            args.append("--show-managed-fields")
        if selector:
            args.append(f"--selector={selector}")
        return answers.items(self.site, await self._read("read objects", *args))

    async def get(self, target: Ref) -> Object | None:
        """One object, or None where it is not there."""
        text = await self._read(f"read {target}", "get", str(target), "--output=json")
        return schema.fitted(answers.document(self.site, text)) if text.strip() else None

    async def owner_kinds(self, target: Ref) -> list[str] | None:
        """The kinds of an object's owners, without reading the object; None where it is not there."""
        path = f"--output=jsonpath={_OWNERS} {{.kind}} {{.metadata.ownerReferences[*].kind}}"
        done = await self._call(f"read the owners of {target}", "get", str(target), path, "--ignore-not-found")
        words = done.stdout.partition(_OWNERS)[2].split()
        return words[1:] if words else None

    async def ping(self) -> None:
        """Asks the API server for a sign of life, by something that needs no right.

        Raises:
            KubectlError: it did not answer within `PING_DEADLINE`, or refused.
        """
        await self._call("reach the API server", "get", "--raw=/version", deadline=PING_DEADLINE)

    async def events(self, reasons: Sequence[str] = ()) -> list[Object]:
        """The namespace's Events of these reasons, or all of type Warning, the newest last."""
        found: list[Object] = []
        for selector in [f"reason={reason}" for reason in reasons] or ["type=Warning"]:
            done = await self._call("read events", "get", "events", "--output=json", f"--field-selector={selector}")
            found += answers.items(self.site, done.stdout)
        return sorted(found, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))

    async def namespace(self) -> Object | None:
        """The site's namespace, or None where it is not there."""
        return await self.get(Ref("namespaces", self.site.namespace))

    async def namespace_exists(self) -> bool:
        """Whether the site's namespace is there. A user who may not read namespaces is taken at their word."""
        try:
            return await self.namespace() is not None
        except KubectlError as error:
            if error.refusal is Refusal.FORBIDDEN:
                return True
            raise

    async def lacks_namespace(self) -> KubectlError | None:
        """The error for a site whose namespace is not there; None where it is."""
        if await self.namespace_exists():
            return None
        return refusals.explain(self.site, "read objects", f'namespaces "{self.site.namespace}" not found')

    async def listable_types(self) -> list[str]:
        """All types of namespaced objects that this cluster can list."""
        done = await self._call("list types", "api-resources", "--namespaced", "--verbs=list", "--output=name")
        return output.resource_types(done.stdout)

    async def apply(self, objects: Sequence[Object], *, force: bool = False) -> list[str]:
        """Server-side apply, as field manager hzlink. Returns kubectl's line for each object.

        With `force`, fields that other managers have set get hzlink's values.
        """
        done = await self._run(
            "apply objects",
            "apply",
            "--server-side",
            f"--field-manager={MANAGER}",
            *(["--force-conflicts"] if force else []),
            "--filename=-",
            stdin=_bundle(objects),
            deadline=max(self.deadline, APPLY_DEADLINE),
        )
        if done.code != 0:
            raise applied.naming(await self._refused("apply objects", done), self.site, objects, done.stdout)
        return done.stdout.splitlines()

    async def create(self, item: Object) -> Object:
        """Creates an object and returns it as the server made it."""
        doing = f"create {item.get('kind')}"
        args = ("create", *_UNCHECKED, "--filename=-", "--output=json")
        done, tries = await self._try(doing, *args, stdin=_bundle([item]))
        if done.code == 0:
            return answers.document(self.site, done.stdout)
        # An earlier try may have made it, with only its answer lost.
        lost = tries > 1 and refusals.classify(done.said) is Refusal.EXISTS
        if lost and (made := await self.get(ref(item))) is not None:
            return made
        raise await self._refused(doing, done)

    async def replace(self, item: Object) -> Object:
        """Puts an object in the place of the one it was read from, and returns it as the server has it now.

        Raises:
            KubectlError: CHANGED when somebody has written to it since; NOT_FOUND when it is gone.
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
        """Deletes an object if it still is as it was read. kubectl has no option for that, the API has.

        Raises:
            KubectlError: CHANGED when somebody has written to it since; NOT_FOUND when it is gone.
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
        """A JSON merge patch."""
        body = json.dumps(patch)
        await self._call(f"patch {target}", "patch", str(target), "--type=merge", f"--patch={body}")

    async def delete(self, targets: Sequence[Ref]) -> None:
        """Deletes the objects without waiting. An object that does not exist is no error.

        Raises:
            KubectlError: also where something makes kubectl ask first: it then deletes nothing, and exits with 0.
        """
        if targets:
            names = [str(target) for target in targets]
            done = await self._call("delete objects", "delete", "--wait=false", "--ignore-not-found", *names)
            if answers.CANCELLED in done.stdout:
                raise answers.asked_first(self.site, done)

    async def wait_gone(self, targets: Sequence[Ref], seconds: float) -> bool:
        """Waits until none of the objects is there; False when the seconds are over.

        Raises:
            KubectlError: it cannot be told.
        """
        if not targets:
            return True
        argv = self.argv("wait", "--for=delete", f"--timeout={seconds:.0f}s", *(str(target) for target in targets))
        try:
            done = await process.run(argv, deadline=seconds + 5)
        except process.DeadlineExceeded:
            return False
        if done.code != 0 and "timed out waiting" not in done.said:
            raise await self._refused("wait until objects are gone", done)
        return done.code == 0

    async def restart(self, target: Ref) -> None:
        """`kubectl rollout restart`."""
        await self._call(f"restart {target}", "rollout", "restart", str(target), f"--field-manager={MANAGER}")

    async def logs(
        self, selector: str, *, since: str | None = None, tail: int = -1, limit_bytes: int = 4_000_000
    ) -> str:
        """Logs of all pods that the selector takes, each line with its pod and time in front.

        Of each pod at most the last `tail` lines, and of these `limit_bytes`. A pod without a log is left out.
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
        """The last lines of one container, each with its time; of its previous run, if asked for."""
        args = ["logs", pod, f"--container={container}", "--timestamps", f"--tail={lines}"]
        args += [f"--limit-bytes={limit_bytes}", *(["--previous"] if previous else [])]
        return (await self._call(f"read the log of {pod}", *args)).stdout

    async def pod_output(self, pod: str, container: str, *, limit_bytes: int) -> str:
        """What one container has printed so far, from the beginning."""
        args = ["logs", pod, f"--container={container}", f"--limit-bytes={limit_bytes}"]
        return (await self._call(f"read the log of {pod}", *args)).stdout

    async def secret_keys(self) -> list[list[str]]:
        """Each Secret's name, type and keys. Their values stay with kubectl."""
        done = await self._call("list secrets", "get", "secrets", f"--output=go-template={_NAMES_AND_KEYS}")
        return [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]

    async def versions(self) -> dict[str, Any]:
        """What `kubectl version` says of itself and of the API server."""
        return answers.document(self.site, (await self._call("read the version", "version", "--output=json")).stdout)

    @asynccontextmanager
    async def watch(
        self, resource: str, name: str | None = None, selector: str | None = None
    ) -> AsyncIterator[AsyncIterator[tuple[str, Object]]]:
        """The objects that are there, then every change, as (ADDED, MODIFIED or DELETED, object), until left.

        The iterator ends when the server ends the watch. A refusal is raised from it as KubectlError.
        """
        args = ["get", resource, "--watch", "--output-watch-events", "--output=json"]
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
                continue  # a wrapper's words
            document.append(line)
            # An event is one line, or indented, and then only its outermost brace closes in the first column.
            if line == "}" or (len(document) == 1 and line.endswith("}")):
                event = answers.document(self.site, "\n".join(document))
                document.clear()
                item = schema.fitted(event.get("object"))
                if item is not None:
                    yield str(event.get("type", "")), item
        if lines.completed.code != 0:
            raise await self._refused(f"watch {resource}", lines.completed)

    def argv(self, *args: str) -> list[str]:
        """The whole command line.

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
        """What a `get` of objects in JSON printed; nothing where they are not there.

        Nothing but a wrapper's words can mean that, too. Then kubectl is asked again, so that it has to say it.
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

    async def ask(self, *args: str, stdin: str | None = None, deadline: float | None = None) -> process.Completed:
        """Runs kubectl and returns how it ended, for callers that interpret its errors.

        Raises:
            DeadlineExceeded: it did not end in time.
        """
        slow = credentials.patience(self.site)
        limit = max(deadline or self.deadline, slow)
        credential = await credentials.refresh(self.site)
        argv = self.argv(*args)
        # A little less than our own deadline, so that kubectl says itself what did not answer.
        argv.insert(1, f"--request-timeout={min(max(REQUEST_DEADLINE, slow), max(1.0, limit - 2)):.0f}s")
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
        """How the call ended, and how often it was tried: again while the API server's refusal passes by itself."""

        async def once() -> process.Completed:
            try:
                return await self.ask(*args, stdin=stdin, deadline=deadline)
            except process.DeadlineExceeded as error:
                said = f"no answer within {error.seconds:g} s (context deadline exceeded)"
                raise refusals.explain(self.site, doing, said) from None

        # A replacement that was made, with its answer lost, would be refused the second time as if it were another's.
        return (await once(), 1) if args[0] == "replace" else await repeating.while_passing(once, self.until)

    async def _refused(self, doing: str, done: process.Completed) -> KubectlError:
        if done.code < 0:
            return refusals.ended(self.site, doing, -done.code)
        error = refusals.explain(self.site, doing, done.said)
        error.next_step = await self.admission_hint(done.said) or error.next_step
        return error

    async def admission_hint(self, said: str) -> str | None:
        """The command that shows the rule of admission control that refused; None where none did.

        A webhook is known by its own name: the name of its configuration is looked for, if the user may.
        """
        hint, webhook = admission.hint(self.site, said), admission.webhook_to_find(said)
        if not webhook:
            return hint
        try:
            done = await self.ask("get", admission.CONFIGURATIONS, "--output=json")
        except process.DeadlineExceeded:
            return hint
        # Who may read only one of the two types gets that one.
        found = answers.items(self.site, done.stdout)
        return admission.configuration_hint(self.site, found, webhook) or hint


def _fast_env() -> dict[str, str]:
    """Variables that spare a short run of kubectl a sixth of its work: no garbage collection below 512 MiB.

    A watch, which runs for long, does without. What the user has set holds.
    """
    return {} if "GOGC" in os.environ else {"GOGC": "off", "GOMEMLIMIT": os.environ.get("GOMEMLIMIT", "512MiB")}


def _bundle(objects: Sequence[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
