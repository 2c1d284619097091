"""The stand-in's pure parts: durations, delays, faults, conditions, timers, certificates, selectors, ports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sandbox.api.kinds import Obj
from sandbox.layout import PROFILES, Layout, Profile, Settings
from sandbox.skupper import durations
from sandbox.skupper.controller import load_balancers, pki, status
from sandbox.skupper.controller.reconcile import Cycle, Timers
from sandbox.skupper.controller.sites import running_state
from sandbox.skupper.controllers import Controller
from sandbox.skupper.faults import delays, faults
from sandbox.skupper.faults.delays import FAST, MEASURED, Span
from sandbox.skupper.faults.faults import Faults
from sandbox.skupper.network.exposure import Ports
from sandbox.skupper.network.targets import matches
from sandbox.skupper.network.traffic import AddressPool, endpoint


def a_cycle(now: float = 0.0, timers: Timers | None = None, table: Obj | None = None, *, first: bool = False) -> Cycle:
    return Cycle(now, FAST, Faults(table or {}), timers or Timers(), first=first)


# Durations


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("15m", 900, "15m0s"),
        ("60s", 60, "1m0s"),
        ("1h30m", 5400, "1h30m0s"),
        ("1.5s", 1.5, "1.5s"),
        ("250ms", 0.25, "250ms"),
        ("0", 0, "0s"),
        ("-5m", -300, "-5m0s"),
        ("1h1s", 3601, "1h0m1s"),
    ],
)
def test_go_durations(text: str, seconds: float, shown: str) -> None:
    assert durations.parse(text) == seconds
    assert durations.show(seconds) == shown


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", 'time: invalid duration ""'),
        ("abc", 'time: invalid duration "abc"'),
        ("12", 'time: missing unit in duration "12"'),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
    ],
)
def test_invalid_durations(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match="time: ") as caught:
        durations.parse(text)
    assert str(caught.value) == complaint


@given(some.integers(min_value=0, max_value=10**7).map(lambda millis: millis / 1000))
def test_a_shown_duration_can_be_parsed(seconds: float) -> None:
    assert durations.parse(durations.show(seconds)) == pytest.approx(seconds)


# Delays


@given(some.text(), some.text())
def test_a_span_gives_the_same_length_for_the_same_names(one: str, other: str) -> None:
    span = Span(4.0, 19.0)
    assert 4.0 <= span.of(one, other) <= 19.0
    assert span.of(one, other) == span.of(one, other)


def test_the_fast_profile_has_short_delays_except_for_two() -> None:
    for name in FAST.__dataclass_fields__:
        span: Span = getattr(FAST, name)
        assert span.high <= (3.0 if name in ("link_sleep", "resync") else 0.8), name
        assert span.low <= getattr(MEASURED, name).low, name


@pytest.mark.parametrize("profile", PROFILES)
def test_the_sandbox_chooses_the_profile(tmp_path: Path, profile: Profile) -> None:
    layout = Layout(tmp_path)
    Settings("x", profile, "127.77").write(layout)
    controller = Controller(layout, [])
    controller.close()
    assert controller.delays is delays.PROFILES[profile]


# Faults


def test_the_most_specific_entry_of_a_fault_applies() -> None:
    table = {"link": {"client": "never", "client/hz2": "ok", "*": "down"}, "clock": 60, "lb": {"cluster": False}}
    here = Faults(table)
    assert here.get("link", "client", "hz") == "never"
    assert here.get("link", "client", "hz2") == "ok"
    assert here.get("link", "cluster", "hz") == "down"
    assert here.get("site", "client", "hz") is None
    assert here.clock("client") == here.clock("cluster") == 60.0
    assert here.off("lb", "cluster")
    assert not here.off("lb", "client")


def test_the_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = faults.FaultsFile(tmp_path)
    assert not file.refresh()
    with faults.fault(tmp_path, "link", "never"):
        assert file.refresh()
        assert file.current.get("link", "client") == "never"
        with faults.fault(tmp_path, "link", "down"):
            assert file.refresh()
        assert file.refresh()
        assert file.current.get("link", "client") == "never"
    assert file.refresh()
    assert file.current == Faults()
    assert not file.refresh()


def test_unknown_faults_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown fault 'lnik'"):
        faults.set_fault(tmp_path, "lnik", "never")
    (tmp_path / faults.FILE).write_text('{"lnik": 1}')
    with pytest.raises(ValueError, match="unknown faults lnik; there are lb, "):
        faults.read(tmp_path)


# Conditions


def an_object() -> Obj:
    return {"metadata": {"generation": 3}}


def test_the_state_is_that_of_the_first_false_condition() -> None:
    link = an_object()
    assert status.mark(link, status.CONFIGURED, status.OK, status.LINK_NEEDS)
    assert (link["status"]["status"], link["status"]["message"]) == ("Pending", "Not Operational")
    state = status.pending("Not operational")
    assert status.mark(link, status.OPERATIONAL, state, status.LINK_NEEDS)
    assert (link["status"]["status"], link["status"]["message"]) == ("Pending", "Not operational")
    assert status.mark(link, status.OPERATIONAL, status.OK, status.LINK_NEEDS)
    assert (link["status"]["status"], link["status"]["message"]) == ("Ready", "OK")
    assert [c["type"] for c in link["status"]["conditions"]] == ["Configured", "Ready", "Operational"]
    assert {c["observedGeneration"] for c in link["status"]["conditions"]} == {3}
    status.mark(link, status.CONFIGURED, status.error("broken"), status.LINK_NEEDS)
    assert (link["status"]["status"], link["status"]["message"]) == ("Error", "broken")


def test_setting_the_same_state_changes_nothing() -> None:
    site = an_object()
    status.mark(site, status.CONFIGURED, status.OK, ())
    before = json.dumps(site)
    assert not status.mark(site, status.CONFIGURED, status.OK, ())
    assert json.dumps(site) == before
    assert not status.set_field(site, "endpoints", [])
    assert status.set_field(site, "endpoints", [{"host": "x"}])
    assert status.set_field(site, "endpoints", [])
    assert "endpoints" not in site["status"]


@pytest.mark.parametrize(("access", "resolved"), [("", False), ("none", False), ("default", True), ("local", True)])
def test_only_link_access_needs_an_address(access: str, resolved: bool) -> None:
    assert (status.RESOLVED in status.site_needs({"linkAccess": access})) is resolved


def test_the_running_condition_has_the_pods_reason() -> None:
    unready = "containers with unready status: [router kube-adaptor]"
    ready = {"type": "Ready", "status": "True"}
    waiting = {"type": "Ready", "status": "False", "message": unready}
    assert running_state([]).message == "No router pod is ready"
    assert running_state([_pod([])]).message == "Pod router-1 not ready"
    assert running_state([_pod([waiting])]) == status.pending(unready)
    assert running_state([_pod([{"type": "Ready", "status": "False"}])]) == status.pending(unready)
    assert running_state([_pod([ready])], never_ready=True) == status.pending(unready)
    assert running_state([_pod([waiting]), _pod([ready])]) == status.OK


def _pod(conditions: list[Obj]) -> Obj:
    return {
        "metadata": {"name": "router-1"},
        "spec": {"containers": [{"name": "router"}, {"name": "kube-adaptor"}]},
        "status": {"phase": "Running", "conditions": conditions},
    }


# Timers


def test_a_timer_runs_while_every_cycle_asks_for_it() -> None:
    timers = Timers()
    span = Span(1.0, 1.0)
    first = a_cycle(10.0, timers)
    assert not first.elapsed("x", span, of="a")
    assert first.next_at == 11.0
    timers.sweep()
    assert a_cycle(11.0, timers).elapsed("x", span, of="a")
    timers.sweep()
    timers.sweep()  # a cycle that did not ask
    assert not a_cycle(20.0, timers).elapsed("x", span, of="a")


def test_every_delay_has_passed_in_the_first_cycle() -> None:
    cycle = a_cycle(5.0, first=True)
    assert cycle.elapsed("x", Span(100.0, 100.0))
    assert cycle.next_at == float("inf")


# Certificates, selectors, ports, addresses


def test_a_certificate_shows_its_issuer() -> None:
    ca = pki.secret_data("my CA")
    leaf = pki.secret_data("me", pki.ca_of({"data": ca}))
    assert pki.ca_of({"data": leaf}) == pki.ca_of({"data": ca})
    assert pki.ca_of({"data": pki.secret_data("my CA")}) != pki.ca_of({"data": ca})
    assert pki.ca_of(None) == ""


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=hazelcast", True),
        ("app==hazelcast, tier=a", True),
        ("app=hazelcast,tier=b", False),
        ("app!=other", True),
        ("tier", True),
        ("!tier", False),
        ("!other", True),
        ("", False),
    ],
)
def test_selectors(selector: str, expected: bool) -> None:
    pod = {"metadata": {"labels": {"app": "hazelcast", "tier": "a"}}}
    assert matches(selector, pod) is expected


def test_router_ports_are_the_lowest_free_ones() -> None:
    ports = Ports()
    assert [ports.of(key) for key in ("hazelcast", "a", "b", "a")] == [1024, 1025, 1026, 1025]
    ports.keep({"hazelcast", "b"})
    assert ports.of("c") == 1025


@given(some.lists(some.sampled_from("abcdefg"), max_size=60))
def test_services_have_distinct_addresses(uids: list[str]) -> None:
    pool = AddressPool("127.9")
    last: dict[str, str] = {}
    for uid in uids:
        pool.keep({uid})
        address = pool.address(uid)
        assert address.startswith("127.9.24")
        assert len(set(pool.of.values())) == len(pool.of)
        last[uid] = address


def test_ports_of_a_process() -> None:
    assert endpoint({"ip": "127.0.0.9", "ports": [5701]}, 5701) == ("127.0.0.9", 5701)
    assert endpoint({"ip": "127.0.0.9", "ports": [5701]}, 80) is None
    assert endpoint({"ip": "127.0.0.9", "ports": {"5701": 40001}}, 5701) == ("127.0.0.9", 40001)
    assert endpoint({"ip": "127.0.0.9"}, 5701) is None


def test_the_address_of_a_load_balancer() -> None:
    assert load_balancers.address_of(None) == load_balancers.address_of({"status": {"loadBalancer": {}}}) == ""
    assert load_balancers.address_of({"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.3"}]}}}) == "127.0.0.3"
