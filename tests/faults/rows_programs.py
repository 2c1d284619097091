"""Faults of pods, of the programs that hzlink runs, and of the files that it writes."""

from __future__ import annotations

from functools import partial

from sandbox.api import kinds
from tests.faults import shims
from tests.faults.fault import Fault, Part, Where
from tests.faults.world import World, tokens_left

HOLD = "sandbox.hzlink.dev/hold"
THROUGH_SKUPPER = ("up", "--timeout", "120", "--via", "skupper")
DESCRIBE_MEMBERS = "kubectl --context cluster -n {namespace} describe pods -l app=hazelcast"


def running_members(world: World) -> None:
    """A topology that is up."""
    world.up()


def held(context: str, reason: str) -> partial[None]:
    """The containers of what is applied there stay waiting for that reason, as a kubelet would have them."""
    return partial(_held, context, reason)


def _held(context: str, reason: str, world: World) -> None:
    """By an annotation that the sandbox's kubelet goes by, slipped into the pod template."""
    annotation = f'"annotations": {{"{HOLD}": "{reason}"}}, '
    edit = f's#"template": {{"metadata": {{#&{annotation}#'
    kind = "Deployment" if context == "client" else "StatefulSet"
    world.shims.put("kubectl", shims.changed("apply", f'"kind": "{kind}"', edit))


def unschedulable(world: World) -> None:
    edit = 's#"automountServiceAccountToken": false#&, "nodeSelector": {"disk": "none-such"}#'
    world.shims.put("kubectl", shims.changed("apply", '"kind": "StatefulSet"', edit))


def router_image(world: World) -> None:
    """The router's pod cannot pull its image: seen from when the Site is waited for."""
    world.fault("site", "client", "never-ready")

    def routers() -> list[str]:
        pods = world.items("client", kinds.PODS)
        return [pod["metadata"]["name"] for pod in pods if pod["metadata"]["name"].startswith("skupper-router")]

    def hold() -> None:
        for name in routers():
            world.patch("client", kinds.PODS, name, {"metadata": {"annotations": {HOLD: "ImagePullBackOff"}}})

    world.when(routers, hold)


def pods_quota(world: World) -> None:
    """One pod with requests, which members have and routers have not."""
    quotas = kinds.Resource("", "v1", "resourcequotas", "ResourceQuota")
    spec = {"hard": {"pods": "1"}, "scopes": ["NotBestEffort"]}
    world.create("cluster", quotas, {"metadata": {"name": "few"}, "spec": spec})
    world.wait(lambda: (world.get("cluster", quotas, "few") or {}).get("status", {}).get("used"))


def router_quota(world: World) -> None:
    """A request that members have and routers have not."""
    quotas = kinds.Resource("", "v1", "resourcequotas", "ResourceQuota")
    world.create("cluster", quotas, {"metadata": {"name": "wants-cpu"}, "spec": {"hard": {"requests.cpu": "100"}}})
    world.wait(lambda: (world.get("cluster", quotas, "wants-cpu") or {}).get("status", {}).get("used"))


def no_skupper(world: World) -> None:
    """A PATH with kubectl and what the shell has, and nothing of the sandbox's."""
    (world.shims.folder / "kubectl").symlink_to(world.sandbox.bin / "kubectl")
    world.env["PATH"] = world.shims.path("/usr/bin:/bin")


def program(name: str, script: str) -> partial[None]:
    """Another program in the place of kubectl or skupper."""
    return partial(_program, name, script)


def _program(name: str, script: str, world: World) -> None:
    world.shims.put(name, script)


def killed(verb: str) -> str:
    """A script that passes on, but is killed at that verb, as by a system that is short of memory."""
    return f'case " $* " in *" {verb} "*) kill -KILL $$ ;; esac\n{shims.PASS_ON}'


KILLED_ONCE = f"""
case " $* " in
*" --watch "*)
  if mkdir "$here/killed" 2>/dev/null; then kill -KILL $$; fi ;;
esac
{shims.PASS_ON}"""
OLD_SKUPPER = 'echo "Error: unknown command \\"issue\\" for \\"skupper token\\""; exit 1'
NO_ROOM = """
case " $* " in *" token issue "*) echo "open token.yaml: no space left on device"; exit 1 ;; esac
exec "$real" "$@"
"""


def no_state_folder(world: World) -> None:
    """Where the state folder would be is a file."""
    (world.folder / "a-file").touch()
    world.env["XDG_STATE_HOME"] = str(world.folder / "a-file")


def well(world: World) -> None:
    world.up()


def clocks_apart(world: World) -> None:
    world.fault("clock", "cluster", 3600)


# As kubectl's documentation has it.
KUBERC = """
apiVersion: kubectl.config.k8s.io/v1beta1
kind: Preference
defaults:
- command: delete
  options:
  - name: interactive
    default: "true"
"""


def kuberc(world: World) -> None:
    """A user's preferences for kubectl, from before `up` on."""
    path = world.folder / "kuberc"
    path.write_text(KUBERC)
    world.env["KUBERC"] = str(path)
    world.up()
    assert not tokens_left(world)


ROWS = [
    Fault(
        Part.PODS, "member-crashes", "a member crashes again and again", "StatefulSet hazelcast cannot get ready",
        "A member's container ends soon after its start. hzlink gives up once it has been kept back for 12 s, or has "
        "fallen three times while it was waited for.",
        "Look at its log: kubectl logs --previous.", held("cluster", "CrashLoopBackOff"), 1,
        site="cluster", subject="StatefulSet hazelcast", said=r"pod hazelcast-\d: CrashLoopBackOff",
        next=DESCRIBE_MEMBERS,
    ),
    Fault(
        Part.PODS, "member-minor-version", "the members' image is another minor version",
        "all members would be stopped, and there is no terminal to ask at",
        "Members of two minor versions do not form one cluster: the old ones refuse the first new one, which crashes "
        "again and again (only Hazelcast Enterprise upgrades one by one). So hzlink stops all members first. What they "
        "hold only in memory is lost.",
        "Save the data elsewhere, then give --allow-restart.", running_members, 2,
        command=("up", "--timeout", "120", "--image", "hazelcast/hazelcast:5.6.0"),
        site="cluster", subject="StatefulSet hazelcast", next="hzlink up --allow-restart",
    ),
    Fault(
        Part.PODS, "member-image", "a member's image cannot be pulled", "StatefulSet hazelcast cannot get ready",
        "The image's name is wrong, or the registry is out of reach or asks for credentials.",
        "Mend the name (--image) or the access; run the same command again.", held("cluster", "ImagePullBackOff"), 1,
        site="cluster", subject="StatefulSet hazelcast", said=r"pod hazelcast-\d: ImagePullBackOff",
        next=DESCRIBE_MEMBERS,
    ),
    Fault(
        Part.PODS, "member-unschedulable", "no node takes a member", "StatefulSet hazelcast cannot get ready",
        "No node has room for the pod, or none fits its rules. Where an autoscaler says that it adds a node, hzlink "
        "goes on waiting.",
        "Make room, or ask for less.", unschedulable, 1,
        site="cluster", subject="StatefulSet hazelcast", said=r"pod hazelcast-\d: Unschedulable: 0/1 nodes",
        next=DESCRIBE_MEMBERS,
    ),
    Fault(
        Part.PODS, "member-quota", "a quota allows no more pods", "StatefulSet hazelcast cannot get ready",
        "The workload is there, and the namespace's quota does not let it make its pods.",
        "Raise the quota, or give fewer --members.", pods_quota, 1,
        site="cluster", subject="StatefulSet hazelcast", said="exceeded quota",
        next="kubectl --context cluster -n {namespace} describe resourcequotas few",
    ),
    Fault(
        Part.PODS, "router-quota", "a quota wants what the router's pod does not set",
        "Deployment skupper-router cannot get ready",
        "The namespace's quota counts requests or limits, so each pod must set them, and Skupper's router does not.",
        "Add a LimitRange with defaults to the namespace, or change the quota.", router_quota, 1,
        site="cluster", subject="Deployment skupper-router", said="failed quota: wants-cpu: must specify requests.cpu",
        next="kubectl --context cluster -n {namespace} describe resourcequotas wants-cpu",
    ),
    Fault(
        Part.PODS, "router-image", "the router's image cannot be pulled", "Deployment skupper-router cannot get ready",
        "Skupper made its router, whose pod cannot start.", "Mend the access to Skupper's images.", router_image, 1,
        site="client", subject="Deployment skupper-router", said="ImagePullBackOff",
        next="kubectl --context client -n {namespace} describe pods -l skupper.io/component=router",
    ),
    Fault(
        Part.PODS, "mancenter-image", "Management Center's image cannot be pulled",
        "Deployment hazelcast-mancenter cannot get ready",
        "The members can be reached; only Management Center cannot start.", "Mend the access to its image.",
        held("client", "ImagePullBackOff"), 1,
        site="client", subject="Deployment hazelcast-mancenter", said="ImagePullBackOff",
        next="kubectl --context client -n {namespace} describe pods -l app=hazelcast-mancenter",
    ),
    Fault(
        Part.PODS, "probe-image", "the image for verify --in-cluster cannot be pulled",
        "the verification pod does not start (image images.invalid/python:3)",
        "The client site's nodes cannot get the image with Python: it has another name there, or comes by a mirror.",
        "Name one that they can get, with Python 3.11 or later.", well, 1,
        command=("verify", "--in-cluster", "--probe-image", "images.invalid/python:3", "--timeout", "60"),
        site="client", said="ImagePull.*no such host", next="hzlink verify --in-cluster",
    ),
    Fault(
        Part.PROGRAMS, "skupper-missing", "the skupper CLI is not there, and was asked for",
        "skupper is not installed, or not on the PATH, and --via skupper asks for it",
        "You asked for --via skupper. Without it hzlink links through kubectl, with the same result.",
        "Leave --via out, or install the CLI.", no_skupper, 3, command=THROUGH_SKUPPER, next="--via kubectl",
    ),
    Fault(
        Part.PROGRAMS, "skupper-missing-auto", "the skupper CLI is not there", "via kubectl",
        "Nothing is wrong: hzlink links through kubectl.", "Nothing.", no_skupper, 0, where=Where.TALK,
    ),
    Fault(
        Part.PROGRAMS, "skupper-older", "the skupper CLI is of release 1",
        "this skupper CLI is not of release 2, which hzlink works with",
        "It does not know the verbs of release 2.", "Install a release 2, or link through kubectl.",
        program("skupper", OLD_SKUPPER), 3, command=THROUGH_SKUPPER,
        site="cluster", subject="skupper", said="unknown command", next="hzlink link --via kubectl",
    ),
    Fault(
        Part.PROGRAMS, "skupper-nonsense", "the skupper CLI prints nonsense",
        "skupper token issue wrote something that is not a token",
        "What is called skupper on your PATH is something else, or of another release.",
        "See what it is: skupper version.", program("skupper", "echo moo"), 1, command=THROUGH_SKUPPER,
        site="client", next="skupper version",
    ),
    Fault(
        Part.PROGRAMS, "kubectl-nonsense", "kubectl prints nonsense",
        "kubectl printed something that is not a JSON object",
        "What is called kubectl on your PATH is something else.", "See what it is: kubectl version.",
        program("kubectl", f'case " $* " in *" get "*) echo moo; exit ;; esac\n{shims.PASS_ON}'), 1,
        site="cluster", said="moo", next="kubectl version",
    ),
    Fault(
        Part.PROGRAMS, "kubectl-killed", "kubectl is killed in the middle of a run",
        "kubectl was killed (signal 9) when it was to apply objects",
        "The system ends programs when memory is short, or somebody did.",
        "Run the same command again: it continues from what exists.", program("kubectl", killed("apply")), 1,
        site="cluster", said="nothing is known of what was done", next="the same command again",
    ),
    Fault(
        Part.PROGRAMS, "kubectl-killed-once", "a watch of kubectl's is killed", "linked to cluster",
        "Nothing: the watch is begun again.", "Nothing.", program("kubectl", KILLED_ONCE), 0, where=Where.TALK,
    ),
    Fault(
        Part.PROGRAMS, "kuberc", "your kuberc makes kubectl ask before it deletes",
        "objects removed",
        "Nothing: preferences for kubectl (kuberc, KUBECTL_* variables) do not change hzlink's own calls.", "Nothing.",
        kuberc, 0, command=("down", "--yes", "--timeout", "120"), where=Where.TALK,
    ),
    Fault(
        Part.PROGRAMS, "disk-full", "the disk is full when the token is written", "no token could be issued at cluster",
        "With --via skupper the token passes through a file, for which there is no room.",
        "Free some space, or link through kubectl, which needs no file.", program("skupper", NO_ROOM), 1,
        command=THROUGH_SKUPPER, site="cluster", subject="AccessGrant", said="no space left on device",
        next="kubectl --context cluster -n {namespace} get accessgrants.skupper.io -o wide",
    ),
    Fault(
        Part.PROGRAMS, "no-state-folder", "the state folder cannot be written", "linked to cluster",
        "Nothing is wrong: the token's file is kept among the temporary files for its moment. What was typed cannot be "
        "remembered, so `hzlink status` needs the flags.",
        "Nothing, or set XDG_STATE_HOME.", no_state_folder, 0, command=THROUGH_SKUPPER, where=Where.TALK,
    ),
    Fault(
        Part.PROGRAMS, "clocks-apart", "the clusters' clocks are an hour apart", "linked to cluster",
        "Nothing: a token's time is told by the clock of the side that issued it.", "Nothing.", clocks_apart, 0,
        where=Where.TALK,
    ),
]  # fmt: skip
