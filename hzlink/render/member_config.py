"""What users merge into their own members' configuration, so that members advertise their pods' names to clients.

The same for Hazelcast 5.5 and 5.7. Every text is valid YAML with comments. Facts that are surprising stand beside the
texts; they come from the charts hazelcast/hazelcast (5.10), the Platform Operator's sources, and real members.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from textwrap import dedent, indent

from hzlink.model.choices import ConfigTarget, Discovery

CLIENT_PORT, MEMBER_PORT, HEALTH_PORT = 5701, 5702, 8081


@dataclass(frozen=True)
class MemberConfig:
    """What to print a configuration for.

    `name`: the Helm release, the Hazelcast resource, or the members' headless Service. `namespace`: the members', None
    if not given. `members`: for how many the operator's configuration has a Service. `operator_namespace`: where the
    Platform Operator runs if it is not the members' namespace. `cluster_name`: None leaves the users' own.
    """

    target: ConfigTarget
    name: str
    namespace: str | None = None
    discovery: Discovery = Discovery.API
    cluster_name: str | None = None
    members: int = 3
    operator_namespace: str | None = None


def text(wanted: MemberConfig) -> str:
    """The configuration as commented YAML."""
    return {ConfigTarget.HELM: _helm, ConfigTarget.OPERATOR: _operator, ConfigTarget.YAML: _yaml}[wanted.target](wanted)


def hints(wanted: MemberConfig) -> tuple[str, ...]:
    """How to apply it, and what a change of running members interrupts."""
    where = f" -n {wanted.namespace}" if wanted.namespace else ""
    if wanted.target is ConfigTarget.OPERATOR:
        return (
            "needs Platform Operator 5.13 or later (spec.env); the operator restarts the members one by one",
            f"apply the ConfigMap and the Services, then merge spec: kubectl edit hazelcast {wanted.name}{where}",
        )
    split = (
        "stop all members before this change: in a rolling update, new members (port 5702) do not find old ones "
        "(port 5701) and form a second cluster. Data that is only in memory is lost"
    )
    if wanted.target is ConfigTarget.HELM:
        # Not by the label `instance` alone, which the chart's Management Center has, too.
        labels = f"app.kubernetes.io/instance={wanted.name},app.kubernetes.io/name in (hazelcast,hazelcast-enterprise)"
        scale = f"kubectl scale statefulset -l '{labels}' --replicas=0"
        return (
            split,
            f"{scale}{where}",
            f"helm upgrade {wanted.name} hazelcast/hazelcast --reuse-values -f FILE{where}",
        )
    return (split,)


def _helm(wanted: MemberConfig) -> str:
    # The chart puts the names of its Service and namespace into JAVA_OPTS (serviceName, namespace).
    join = _join(wanted.discovery, "${serviceName}", "${namespace}")
    return (
        _block("""
        # Values for the Helm charts hazelcast/hazelcast and hazelcast/hazelcast-enterprise: merge them into your own.
        hazelcast:
          # Append both to your own options. The chart defines POD_NAME before JAVA_OPTS: Kubernetes inserts the name.
          # The second one enables advanced-network below. The file itself must not: the chart always writes the section
          # `network`, too, and Hazelcast refuses a file with both. `network` has no effect then: settings that you have
          # there, such as ssl, belong to the endpoints below.
          javaOpts: >-
            -DadvertiseName=$(POD_NAME)
            -Dhz.advanced-network.enabled=true
          yaml:
            hazelcast:
        """)
        + indent(_cluster_name(wanted), " " * 6)
        + indent(_advanced_network("false  # enabled by javaOpts", join), " " * 6)
        + _block(f"""
        # Health is asked at its own port: the clients' port does not speak HTTP any more. The chart's Service needs no
        # change: clients use its port {CLIENT_PORT}.
        # NetworkPolicies have to allow port {MEMBER_PORT} among members and {HEALTH_PORT} from the nodes.
        livenessProbe:
          port: {HEALTH_PORT}
        readinessProbe:
          port: {HEALTH_PORT}
        # A Service inside the cluster for each pod, of the pod's name: for smart clients beside the members, such as
        # the chart's Management Center. Leave it out if there are none.
        externalAccess:
          enabled: true
          service:
            type: ClusterIP
        """)
    )


def _yaml(wanted: MemberConfig) -> str:
    service, namespace = wanted.name, wanted.namespace
    if wanted.discovery is Discovery.DNS and namespace:
        service = f"{service}.{namespace}.svc"
    return (
        _block(f"""
        # hazelcast.yaml of the members. It has no section `network`: Hazelcast refuses a file that has both sections.
        # Settings that you have there, such as ssl, belong to the endpoints below.
        # The members' containers need, in this order:
        #   env:
        #     - name: POD_NAME
        #       valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}
        #     - name: JAVA_OPTS
        #       value: <your own> -DadvertiseName=$(POD_NAME)
        #   ports: {CLIENT_PORT} (clients), {MEMBER_PORT} (members), {HEALTH_PORT} (health)
        #   livenessProbe:
        #     httpGet: {{path: /hazelcast/health/node-state, port: {HEALTH_PORT}}}
        #   readinessProbe:
        #     httpGet: {{path: /hazelcast/health/ready, port: {HEALTH_PORT}}}
        hazelcast:
        """)
        + indent(_cluster_name(wanted), "  ")
        + indent(_advanced_network("true", _join(wanted.discovery, service, namespace)), "  ")
    )


def _operator(wanted: MemberConfig) -> str:
    name = f"{wanted.name}-advertised-names"
    within = f"\n  namespace: {wanted.namespace}" if wanted.namespace else ""
    head = f"""
# The operator gives its members advanced-network, with ports {CLIENT_PORT} (clients), {MEMBER_PORT} (members) and
# {HEALTH_PORT} (health), and probes. Its resource has no field for the advertised name: a custom configuration adds it.
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}{within}
  annotations:
    # Merges it into the operator's configuration, which otherwise replaces whole sections of this one.
    hazelcast.com/custom-config-overwrite: "true"
data:
  hazelcast: |
    advanced-network:
      client-server-socket-endpoint-config:
        public-address: ${{advertiseName}}:{CLIENT_PORT}
---
# Merge spec into your own resource. If it has a customConfigCmName, merge the ConfigMap into that one.
apiVersion: hazelcast.com/v1alpha1
kind: Hazelcast
metadata:
  name: {wanted.name}{within}
spec:
  customConfigCmName: {name}
  env:
    - name: POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    # Not in jvm.args: the operator defines JAVA_OPTS before POD_NAME, so Kubernetes would not insert the name there.
    # Java reads this variable itself.
    - name: JDK_JAVA_OPTIONS
      value: -DadvertiseName=$(POD_NAME)
"""
    if wanted.cluster_name is not None:
        head += f"  clusterName: {json.dumps(wanted.cluster_name)}\n"
    reason = (
        "# A Service for each member, of its pod's name: the operator's own client, and smart clients beside the\n"
        "# members, call members by the names that they advertise. For more members, add Services: --members.\n"
    )
    pods = [f"{wanted.name}-{number}" for number in range(wanted.members)]
    documents = [head.lstrip("\n"), *(_service(pod, within) for pod in pods)]
    documents[1] = reason + documents[1]
    if wanted.operator_namespace:
        documents += [_alias(pod, wanted) for pod in pods]
        first = len(pods) + 1
        documents[first] = "# The same names where the operator runs.\n" + documents[first]
    return "---\n".join(documents)


def _service(pod: str, within: str) -> str:
    return f"""apiVersion: v1
kind: Service
metadata:
  name: {pod}{within}
spec:
  selector:
    statefulset.kubernetes.io/pod-name: {pod}
  # As in the Services that the operator makes: also for a member that is not ready yet.
  publishNotReadyAddresses: true
  ports:
    - name: clients
      port: {CLIENT_PORT}
"""


def _alias(pod: str, wanted: MemberConfig) -> str:
    return f"""apiVersion: v1
kind: Service
metadata:
  name: {pod}
  namespace: {wanted.operator_namespace}
spec:
  type: ExternalName
  externalName: {pod}.{wanted.namespace}.svc.cluster.local
"""


def _cluster_name(wanted: MemberConfig) -> str:
    return "" if wanted.cluster_name is None else f"cluster-name: {json.dumps(wanted.cluster_name)}\n"


def _join(discovery: Discovery, service: str, namespace: str | None) -> str:
    if discovery is Discovery.DNS:
        return f"service-dns: {service}\n"
    # Hazelcast takes the pod's own namespace by default.
    return f"service-name: {service}\n" + (f"namespace: {namespace}\n" if namespace else "")


def _advanced_network(enabled: str, join: str) -> str:
    """The section, without indentation; `join`: lines of the Kubernetes discovery."""
    return (
        _block(f"""
        advanced-network:
          enabled: {enabled}
          join:
            multicast:
              enabled: false
            # Members find each other by address, at the members' port.
            kubernetes:
              enabled: true
        """)
        + indent(join, " " * 6)
        + _block(f"""
        #
              service-port: {MEMBER_PORT}
          # Among members: no public-address, so they keep their pods' addresses.
          member-server-socket-endpoint-config:
            port:
              port: {MEMBER_PORT}
              auto-increment: false
          # For clients: each member advertises its pod's name, which is a Service in every client site.
          client-server-socket-endpoint-config:
            port:
              port: {CLIENT_PORT}
              auto-increment: false
            public-address: ${{advertiseName}}:{CLIENT_PORT}
          # For the probes, and nothing else.
          rest-server-socket-endpoint-config:
            port:
              port: {HEALTH_PORT}
              auto-increment: false
            endpoint-groups:
              HEALTH_CHECK:
                enabled: true
              CLUSTER_READ:
                enabled: false
        """).removeprefix("#\n")
    )


def _block(lines: str) -> str:
    return dedent(lines).lstrip("\n")
