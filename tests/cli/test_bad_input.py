"""Invalid flags, files and settings: exit code 2 (3 without kubectl) and one error.

No cluster is needed: the kubeconfig's servers are closed ports.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.assertions import document_of, is_clean, refused
from tests.cli.program import EARLY, User

SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")
SECRET = "s3cret-token"


@dataclass(frozen=True)
class Case:
    """The arguments, the expected message and next command; `prepare` writes the user's files."""

    args: tuple[str, ...]
    says: str
    next_step: str | None = None
    prepare: Callable[[User], object] = lambda user: None


def _file(name: str, text: str | bytes) -> Callable[[User], object]:
    data = text.encode() if isinstance(text, str) else text
    return lambda user: (user.cwd / name).write_bytes(data)


def _kubeconfig(text: str | bytes) -> Callable[[User], object]:
    data = text.encode() if isinstance(text, str) else text
    return lambda user: user.kubeconfig.write_bytes(data)


def _one_server(user: User) -> None:
    user.has_contexts(core="http://127.0.0.1:1", edge="http://127.0.0.1:1")


CASES: dict[str, Case] = {
    # Sites.
    "no-contexts-at-all": Case((), "no --client-ctx given", "hzlink up --client-ctx CONTEXT --cluster-ctx CONTEXT"),
    "no-cluster-context": Case(("--client-ctx", "edge"), "no --cluster-ctx given", "get-contexts"),
    "unknown-context": Case(
        ("--client-ctx", "prod", "--cluster-ctx", "core"),
        r"there is no context 'prod' in your kubeconfig\n  its contexts: core, edge",
        "kubectl config get-contexts",
    ),
    "unknown-context-in-a-file": Case(
        (*SITES, "--cluster-kubeconfig", "empty.yaml"),
        "there is no context 'core' in empty.yaml\n  its contexts: none",
        "get-contexts",
        _file("empty.yaml", ""),
    ),
    "empty-context": Case(("--client-ctx", "", "--cluster-ctx", "core"), "", "."),
    "no-kubeconfig": Case(SITES, "its contexts: none", "get-contexts", lambda user: user.kubeconfig.unlink()),
    "named-kubeconfig-missing": Case((*SITES, "--kubeconfig", "no/such"), "no kubeconfig file no/such", "--kubeconfig"),
    "same-context-and-namespace": Case(
        ("--client-ctx", "core", "--cluster-ctx", "core"),
        "two sites are the same namespace: hz of context core",
        "--client-ns, --cluster-ns",
    ),
    "two-contexts-of-one-namespace": Case(
        SITES, "two sites are the same namespace: hz of contexts core and edge", "--client-ns", _one_server
    ),
    "two-clients-of-one-namespace": Case(
        (*SITES, "--client-ctx", "edge"), "two sites are the same namespace: hz of context edge", "--client-ns"
    ),
    "bad-namespace": Case((*SITES, "-n", "Not_A_Name"), "'Not_A_Name' is not a namespace's name", "--namespace"),
    "bad-client-namespace": Case((*SITES, "--client-ns", "../x"), "'../x' is not a namespace's name", "--namespace"),
    "client-namespaces-do-not-fit": Case(
        (*SITES, "--client-ns", "a", "--client-ns", "b"), "2 --client-ns for 1 --client-ctx", "one for each"
    ),
    "bad-name": Case((*SITES, "--name", "Über"), "topology's name 'Über' is not a lower-case label"),
    # Values.
    "timeout-zero": Case((*SITES, "--timeout", "0"), "--timeout '0' is not from 1 s to 24 h"),
    "timeout-negative": Case(
        (*SITES, "--timeout=-3"), "--timeout '-3' is not a duration such as 90s, 3m, 1h30m, 500ms, or plain seconds"
    ),
    "timeout-nan": Case((*SITES, "--timeout", "nan"), "--timeout 'nan' is not a duration"),
    "timeout-endless": Case((*SITES, "--timeout", "inf"), "--timeout 'inf' is not a duration"),
    # Files.
    "named-file-missing": Case((*SITES, "-f", "no-such.yaml"), "there is no file no-such.yaml"),
    "file-not-yaml": Case((), r"hzlink\.yaml, line 2: not YAML", None, _file("hzlink.yaml", "members: 3\n  mode: [\n")),
    "file-no-mapping": Case((), r"hzlink\.yaml, line 1: not a mapping", None, _file("hzlink.yaml", "- edge\n")),
    "file-unknown-key": Case(
        (),
        r"hzlink\.yaml, line 2: unknown key memebers\n  known keys: .*members",
        None,
        _file("hzlink.yaml", "mode: smart\nmemebers: 3\n"),
    ),
    "file-odd-key": Case((), r"hzlink\.yaml, line 1: unknown key", None, _file("hzlink.yaml", "[a, b]: 3\n")),
    "file-not-a-list": Case(
        (), r"hzlink\.yaml, line 1: clientContexts must be a list", None, _file("hzlink.yaml", "clientContexts: edge\n")
    ),
    "file-not-a-number": Case(
        (),
        r"hzlink\.yaml, line 3: members must be a number",
        None,
        _file("hzlink.yaml", "clientContexts: [edge]\nclusterContext: core\nmembers: three\n"),
    ),
    "file-not-a-choice": Case(
        SITES,
        r"yaml, line 1: mode must be one of auto, smart, unisocket",
        None,
        _file("hzlink.yaml", "mode: clever\n"),
    ),
    "file-not-text": Case((), r"hzlink\.yaml is not UTF-8 text", None, _file("hzlink.yaml", b"\xff\xfe\x00")),
    # The kubeconfig: an error never quotes its content.
    "kubeconfig-not-yaml": Case(
        SITES, "the kubeconfig file .*, line 2 is not YAML", None, _kubeconfig(f"users: [\n  {SECRET}: }}\n")
    ),
    "kubeconfig-tabs": Case(SITES, "line 2 is not YAML", None, _kubeconfig(f"a:\n\ttoken: {SECRET}\n")),
    "kubeconfig-no-mapping": Case(SITES, "it holds no mapping", None, _kubeconfig(f"{SECRET}\n")),
    "kubeconfig-not-text": Case(SITES, "is not UTF-8 text", None, _kubeconfig(b"\xff\xfe" + SECRET.encode())),
    "kubeconfig-odd-section": Case(
        SITES, "contexts is not a list of mappings", None, _kubeconfig(f"contexts: {SECRET}\n")
    ),
    "kubeconfig-odd-entries": Case(
        SITES, "contexts is not a list of mappings", None, _kubeconfig(f"contexts: [{SECRET}]\n")
    ),
    "kubeconfig-odd-value": Case(SITES, "is not", None, _kubeconfig("contexts: []\nday: 2026-99-99\n")),
    "kubeconfig-a-tag": Case(
        SITES, "is not YAML", None, _kubeconfig(f"a: !!python/object/apply:os.system ['echo {SECRET}']\n")
    ),
}


@pytest.fixture
def prepared(user: User, request: pytest.FixtureRequest) -> tuple[User, Case]:
    """The user, with the case's files."""
    user.has_contexts(core="http://127.0.0.1:1", edge="http://127.0.0.1:2")
    case = CASES[request.param]
    case.prepare(user)
    return user, case


@pytest.mark.parametrize("prepared", CASES, indirect=True)
def test_invalid_input_is_a_usage_error(prepared: tuple[User, Case]) -> None:
    user, case = prepared
    ended = user.hzlink("status", *case.args)
    refused(ended, 2, case.says, case.next_step)
    assert SECRET not in ended.err
    assert ended.seconds < EARLY


@pytest.mark.parametrize("prepared", ["no-contexts-at-all", "unknown-context", "kubeconfig-not-yaml"], indirect=True)
@pytest.mark.parametrize("command", ["up", "link", "down", "render"])
def test_invalid_input_is_refused_by_every_command(command: str, prepared: tuple[User, Case]) -> None:
    user, case = prepared
    refused(user.hzlink(command, *case.args), 2, case.says, case.next_step)


@pytest.mark.parametrize(
    "prepared", ["no-contexts-at-all", "unknown-context", "file-unknown-key", "kubeconfig-not-yaml"], indirect=True
)
def test_invalid_input_is_in_the_document(prepared: tuple[User, Case]) -> None:
    user, case = prepared
    ended = user.hzlink("up", *case.args, "-o", "json")
    document_of(ended, 2, case.says)
    assert SECRET not in ended.out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--members", "0"), "--members '0' is not a number from 1 to 100|--members 0 is not a number from 1 to 100"),
        (("--members", "-1"), "--members -1 is not a number"),
        (("--members", "101"), "--members 101 is not a number from 1 to 100"),
        (("--image", ""), "--image '' is not an image"),
        (("--image", "haz elcast"), "--image 'haz elcast' is not an image"),
        (("--address-timeout", "-1"), "--address-timeout '-1' is not a duration"),
        (("--timeout", "soon"), "--timeout 'soon' is not a duration such as 90s, 3m, 1h30m, 500ms, or plain seconds"),
    ],
)
def test_invalid_flag_values_are_refused(args: tuple[str, ...], says: str, user: User) -> None:
    user.has_contexts(core="http://127.0.0.1:1", edge="http://127.0.0.1:2")
    refused(user.hzlink("up", *SITES, *args), 2, says)


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (("up", "--members", "three"), ("--members", "three")),
        (("up", "--members", "2.5"), ("--members", "2.5")),
        (("up", "--mode", "clever"), ("--mode", "clever", "unisocket")),
        (("up", "--expose", "ingress"), ("--expose", "ingress", "nodeport")),
        (("up", "--link-from", "both"), ("--link-from", "both", "cluster")),
        (("up", "--via", "helm"), ("--via", "helm", "kubectl")),
        (("status", "-o", "xml"), ("--output", "xml", "json")),
        (("status", "--no-such-option"), ("--no-such-option",)),
        (("status", "superfluous"), ("superfluous",)),
        (("stats",), ("stats",)),
        (("link", "--members", "3"), ("--members",)),
    ],
)
def test_invalid_arguments_are_refused_by_the_parser(args: tuple[str, ...], names: tuple[str, ...], user: User) -> None:
    ended = user.hzlink(*args)
    is_clean(ended)
    assert (ended.code, ended.out) == (2, "")
    assert "--help" in ended.err or "-h" in ended.err
    for name in names:
        assert name in ended.err


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("HZLINK_MEMBERS", "many", "members 'many' is not a number from 1 to 100"),
        ("HZLINK_MODE", "clever", "mode 'clever' is not one of"),
        ("HZLINK_CLUSTER_CTX", "gone", "there is no context 'gone'"),
        ("HZLINK_FILE", "no-such.yaml", "there is no file no-such.yaml"),
    ],
)
def test_invalid_variables_are_refused(variable: str, value: str, says: str, user: User) -> None:
    user.has_contexts(core="http://127.0.0.1:1", edge="http://127.0.0.1:2")
    user.env |= {"HZLINK_CLIENT_CTX": "edge", "HZLINK_CLUSTER_CTX": "core", variable: value}
    ended = user.hzlink("status")
    refused(ended, 2, says, "get-contexts" if "context" in says else None)


@pytest.fixture
def bare_python(user: User) -> tuple[str, ...]:
    """A Python with hzlink's packages in a folder without kubectl, as hzlink also searches its Python's folder."""
    folder = user.folder / "bare"
    folder.mkdir()
    python = folder / "python"
    python.symlink_to(os.path.realpath(sys.executable))
    (user.folder / "bin" / "kubectl").unlink()
    user.env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if Path(path).is_dir())
    return (str(python), "-m", "hzlink")


NO_KUBECTL = ("kubectl is not installed, or not on the PATH", r"next: install kubectl .*hzlink\[kubectl\]")


@pytest.mark.parametrize("command", ["up", "link", "status", "down", "render"])
def test_missing_kubectl_is_a_prerequisite(command: str, user: User, bare_python: tuple[str, ...]) -> None:
    user.has_contexts(core="http://127.0.0.1:1", edge="http://127.0.0.1:2")
    refused(user.script(command, *SITES, command=bare_python), 3, *NO_KUBECTL)


def test_missing_kubectl_is_in_the_document(user: User, bare_python: tuple[str, ...]) -> None:
    user.has_contexts(core="http://127.0.0.1:1", edge="http://127.0.0.1:2")
    document_of(user.script("up", *SITES, "-o", "json", command=bare_python), 3, NO_KUBECTL[0])


@pytest.mark.parametrize("content", ["", "no program", "#!/no/such/interpreter\n"])
def test_kubectl_that_cannot_run_is_a_prerequisite(content: str, user: User) -> None:
    user.has_contexts(core="http://127.0.0.1:1", edge="http://127.0.0.1:2")
    kubectl = user.folder / "bin" / "kubectl"
    kubectl.unlink()
    kubectl.write_text(content, encoding="utf-8")
    kubectl.chmod(0o755)
    ended = user.hzlink("up", *SITES)
    refused(ended, 3, r"/bin/kubectl cannot be run\n  .*Errno", "install it again")
