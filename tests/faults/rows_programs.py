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
    """The containers of the applied workload keep waiting with that reason."""
    return partial(_held, context, reason)


def _held(context: str, reason: str, world: World) -> None:
    """Adds an annotation for the sandbox's kubelet to the pod template."""
    annotation = f'"annotations": {{"{HOLD}": "{reason}"}}, '
    edit = f's#"template": {{"metadata": {{#&{annotation}#'
    kind = "Deployment" if context == "client" else "StatefulSet"
    world.shims.put("kubectl", shims.changed("apply", f'"kind": "{kind}"', edit))


def unschedulable(world: World) -> None:
    edit = 's#"automountServiceAccountToken": false#&, "nodeSelector": {"disk": "none-such"}#'
    world.shims.put("kubectl", shims.changed("apply", '"kind": "StatefulSet"', edit))


def router_image(world: World) -> None:
    """The router's pod cannot pull its image while hzlink waits for the Site."""
    world.fault("site", "client", "never-ready")

    def routers() -> list[str]:
        pods = world.items("client", kinds.PODS)
        return [pod["metadata"]["name"] for pod in pods if pod["metadata"]["name"].startswith("skupper-router")]

    def hold() -> None:
        for name in routers():
            world.patch("client", kinds.PODS, name, {"metadata": {"annotations": {HOLD: "ImagePullBackOff"}}})

    world.when(routers, hold)


def pods_quota(world: World) -> None:
    """Allows one pod with resource requests; members have requests and routers do not."""
    quotas = kinds.Resource("", "v1", "resourcequotas", "ResourceQuota")
    spec = {"hard": {"pods": "1"}, "scopes": ["NotBestEffort"]}
    world.create("cluster", quotas, {"metadata": {"name": "few"}, "spec": spec})
    world.wait(lambda: (world.get("cluster", quotas, "few") or {}).get("status", {}).get("used"))


def router_quota(world: World) -> None:
    """A quota for CPU requests, which members have and routers do not."""
    quotas = kinds.Resource("", "v1", "resourcequotas", "ResourceQuota")
    world.create("cluster", quotas, {"metadata": {"name": "wants-cpu"}, "spec": {"hard": {"requests.cpu": "100"}}})
    world.wait(lambda: (world.get("cluster", quotas, "wants-cpu") or {}).get("status", {}).get("used"))


def no_skupper(world: World) -> None:
    """A PATH with kubectl and the shell's programs, without the sandbox's skupper."""
    (world.shims.folder / "kubectl").symlink_to(world.sandbox.bin / "kubectl")
    world.env["PATH"] = world.shims.path("/usr/bin:/bin")


def program(name: str, script: str) -> partial[None]:
    """Replaces kubectl or skupper by a script."""
    return partial(_program, name, script)


def _program(name: str, script: str, world: World) -> None:
    world.shims.put(name, script)


def killed(verb: str) -> str:
    """A script that is killed at that verb, as by the system's out-of-memory killer."""
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
    """A file is at the path of the state folder."""
    (world.folder / "a-file").touch()
    world.env["XDG_STATE_HOME"] = str(world.folder / "a-file")


def well(world: World) -> None:
    world.up()


def clocks_apart(world: World) -> None:
    world.fault("clock", "cluster", 3600)


# The example of kubectl's documentation.
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
    """The user has a kuberc before `up` runs."""
    path = world.folder / "kuberc"
    path.write_text(KUBERC)
    world.env["KUBERC"] = str(path)
    world.up()
    assert not tokens_left(world)


ROWS = [
    Fault(
        Part.PODS, "member-crashes", "a member crashes repeatedly", "StatefulSet hazelcast cannot become ready",
        "A member's container ends soon after its start. hzlink stops waiting after 12 s of back-off, or after three "
        "crashes during the wait.",
        "See its log: kubectl logs --previous.", held("cluster", "CrashLoopBackOff"), 1,
        site="cluster", subject="StatefulSet hazelcast", said=r"pod hazelcast-\d: CrashLoopBackOff",
        next=DESCRIBE_MEMBERS,
    ),
    Fault(
        Part.PODS, "member-minor-version", "the members' image is another minor version",
        "all members would be stopped, and there is no terminal to confirm it",
        "Members of two minor versions do not form one cluster: the old ones refuse the first new one, which then "
        "crashes again and again (only Hazelcast Enterprise upgrades one by one). hzlink stops all members first. What "
        "they hold only in memory is lost.",
        "Save the data elsewhere, then give --allow-restart.", running_members, 2,
        command=("up", "--timeout", "120", "--image", "hazelcast/hazelcast:5.6.0"),
        site="cluster", subject="StatefulSet hazelcast", next="hzlink up --allow-restart",
    ),
    Fault(
        Part.PODS, "member-image", "a member's image cannot be pulled", "StatefulSet hazelcast cannot become ready",
        "The image's name is wrong, or the registry is unreachable or requires credentials.",
        "Correct the name (--image) or the access, then run the same command again.",
        held("cluster", "ImagePullBackOff"), 1,
        site="cluster", subject="StatefulSet hazelcast", said=r"pod hazelcast-\d: ImagePullBackOff",
        next=DESCRIBE_MEMBERS,
    ),
    Fault(
        Part.PODS, "member-unschedulable", "a member cannot be scheduled", "StatefulSet hazelcast cannot become ready",
        "No node has enough free resources for the pod, or none matches its scheduling rules. hzlink keeps waiting "
        "while an autoscaler adds a node.",
        "Free resources, or request less.", unschedulable, 1,
        site="cluster", subject="StatefulSet hazelcast", said=r"pod hazelcast-\d: Unschedulable: 0/1 nodes",
        next=DESCRIBE_MEMBERS,
    ),
    Fault(
        Part.PODS, "member-quota", "a quota allows no more pods", "StatefulSet hazelcast cannot become ready",
        "The workload exists, but the namespace's quota does not allow its pods.",
        "Raise the quota, or use fewer --members.", pods_quota, 1,
        site="cluster", subject="StatefulSet hazelcast", said="exceeded quota",
        next="kubectl --context cluster -n {namespace} describe resourcequotas few",
    ),
    Fault(
        Part.PODS, "router-quota", "a quota requires values that the router's pod does not set",
        "Deployment skupper-router cannot become ready",
        "The namespace's quota counts requests or limits, so each pod must set them, and Skupper's router does not.",
        "Add a LimitRange with defaults to the namespace, or change the quota.", router_quota, 1,
        site="cluster", subject="Deployment skupper-router", said="failed quota: wants-cpu: must specify requests.cpu",
        next="kubectl --context cluster -n {namespace} describe resourcequotas wants-cpu",
    ),
    Fault(
        Part.PODS, "router-image", "the router's image cannot be pulled",
        "Deployment skupper-router cannot become ready",
        "Skupper has created its router, but the router's pod cannot start.",
        "Give the nodes access to Skupper's images.", router_image, 1,
        site="client", subject="Deployment skupper-router", said="ImagePullBackOff",
        next="kubectl --context client -n {namespace} describe pods -l skupper.io/component=router",
    ),
    Fault(
        Part.PODS, "mancenter-image", "Management Center's image cannot be pulled",
        "Deployment hazelcast-mancenter cannot become ready",
        "The members can be reached. Only Management Center cannot start.", "Give the nodes access to its image.",
        held("client", "ImagePullBackOff"), 1,
        site="client", subject="Deployment hazelcast-mancenter", said="ImagePullBackOff",
        next="kubectl --context client -n {namespace} describe pods -l app=hazelcast-mancenter",
    ),
    Fault(
        Part.PODS, "probe-image", "the image for verify --in-cluster cannot be pulled",
        "the verification pod does not start (image images.invalid/python:3)",
        "The client site's nodes cannot pull the image with Python, for example because they need a mirror.",
        "Use an image that they can pull, with Python 3.11 or later.", well, 1,
        command=("verify", "--in-cluster", "--probe-image", "images.invalid/python:3", "--timeout", "60"),
        site="client", said="ImagePull.*no such host", next="hzlink verify --in-cluster",
    ),
    Fault(
        Part.PROGRAMS, "skupper-missing", "the skupper CLI is not installed, and --via skupper is given",
        "skupper is not installed, or not on the PATH, and --via skupper needs it",
        "--via skupper needs the CLI. Without --via, hzlink links through kubectl, with the same result.",
        "Omit --via, or install the CLI.", no_skupper, 3, command=THROUGH_SKUPPER, next="--via kubectl",
    ),
    Fault(
        Part.PROGRAMS, "skupper-missing-auto", "the skupper CLI is not installed", "via kubectl",
        "No problem: hzlink links through kubectl.", "Nothing.", no_skupper, 0, where=Where.TALK,
    ),
    Fault(
        Part.PROGRAMS, "skupper-older", "the skupper CLI is of release 1",
        "the skupper CLI is not of release 2, which hzlink needs",
        "Release 1 does not have the commands of release 2.", "Install release 2, or link through kubectl.",
        program("skupper", OLD_SKUPPER), 3, command=THROUGH_SKUPPER,
        site="cluster", subject="skupper", said="unknown command", next="hzlink link --via kubectl",
    ),
    Fault(
        Part.PROGRAMS, "skupper-nonsense", "the skupper CLI prints invalid output",
        "skupper token issue wrote a file that is not a token",
        "The program skupper on your PATH is another program, or another release.",
        "Check it: skupper version.", program("skupper", "echo moo"), 1, command=THROUGH_SKUPPER,
        site="client", next="skupper version",
    ),
    Fault(
        Part.PROGRAMS, "kubectl-nonsense", "kubectl prints invalid output",
        "kubectl printed something that is not a JSON object",
        "The program kubectl on your PATH is another program.", "Check it: kubectl version.",
        program("kubectl", f'case " $* " in *" get "*) echo moo; exit ;; esac\n{shims.PASS_ON}'), 1,
        site="cluster", said="moo", next="kubectl version",
    ),
    Fault(
        Part.PROGRAMS, "kubectl-killed", "kubectl is killed during a run",
        "kubectl was killed (signal 9) while it tried to apply objects",
        "The system kills programs when memory is low, or a user killed it.",
        "Run the same command again: it continues from what exists.", program("kubectl", killed("apply")), 1,
        site="cluster", said="it is not known what the call has changed", next="the same command again",
    ),
    Fault(
        Part.PROGRAMS, "kubectl-killed-once", "kubectl is killed during a watch", "linked to cluster",
        "No problem: hzlink starts the watch again.", "Nothing.", program("kubectl", KILLED_ONCE), 0, where=Where.TALK,
    ),
    Fault(
        Part.PROGRAMS, "kuberc", "your kuberc makes kubectl ask before it deletes",
        "objects removed",
        "No problem: preferences for kubectl (kuberc, KUBECTL_* variables) do not change hzlink's calls.", "Nothing.",
        kuberc, 0, command=("down", "--yes", "--timeout", "120"), where=Where.TALK,
    ),
    Fault(
        Part.PROGRAMS, "disk-full", "the disk is full when the token is written", "no token could be issued at cluster",
        "With --via skupper the token is written to a file, and the disk has no space for it.",
        "Free disk space, or link through kubectl, which needs no file.", program("skupper", NO_ROOM), 1,
        command=THROUGH_SKUPPER, site="cluster", subject="AccessGrant", said="no space left on device",
        next="kubectl --context cluster -n {namespace} get accessgrants.skupper.io -o wide",
    ),
    Fault(
        Part.PROGRAMS, "no-state-folder", "the state folder cannot be written", "linked to cluster",
        "No problem: the token's file is created in the temporary folder. hzlink cannot record the flags, so "
        "`hzlink status` needs them.",
        "Nothing, or set XDG_STATE_HOME.", no_state_folder, 0, command=THROUGH_SKUPPER, where=Where.TALK,
    ),
    Fault(
        Part.PROGRAMS, "clocks-apart", "the clusters' clocks are an hour apart", "linked to cluster",
        "No problem: only the issuing side's clock decides when a token expires.", "Nothing.", clocks_apart, 0,
        where=Where.TALK,
    ),
]  # fmt: skip
