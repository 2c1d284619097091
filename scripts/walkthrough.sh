#!/usr/bin/env bash
# The walk-through by hand, for the bench: the same manifests and steps as `hzlink up`, one after the other with kubectl
# and skupper, polling as a person does, but without time to read and think.
#
#   scripts/walkthrough.sh CLIENT_CONTEXT CLUSTER_CONTEXT NAMESPACE
set -euo pipefail
client=${1:?client context} cluster=${2:?cluster context} namespace=${3:?namespace}
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

at() { local context=$1; shift; kubectl --context "$context" -n "$namespace" "$@"; }
# Polls every two seconds, as `watch` does.
until_ok() { local tries=0; until "$@" >/dev/null 2>&1; do ((++tries < 150)) || { echo "gave up: $*" >&2; exit 1; }; sleep 2; done; }
ready() { [ "$(at "$1" get "$2" -o "jsonpath={.items[0].status.status}")" = Ready ]; }
names_there() { at "$client" get service hazelcast-0 hazelcast-1 hazelcast-2; }

# One cluster after the other, each checked before the next step.
at "$client" apply -k "$here/manifests/client"
until_ok ready "$client" sites.skupper.io
at "$cluster" apply -k "$here/manifests/cluster"
at "$cluster" rollout status statefulset/hazelcast --timeout=180s
until_ok ready "$cluster" sites.skupper.io
(
  cd "$work"
  skupper token issue token.yaml -p kubernetes -c "$cluster" -n "$namespace"
  skupper token redeem token.yaml -p kubernetes -c "$client" -n "$namespace"
)
until_ok ready "$client" links.skupper.io
until_ok names_there
at "$client" rollout restart deployment/hazelcast-mancenter
at "$client" rollout status deployment/hazelcast-mancenter --timeout=180s
