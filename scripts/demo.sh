#!/usr/bin/env bash
# From nothing to a Hazelcast cluster whose members are used from another Kubernetes cluster: makes the environment and
# the sandbox, then does what a user would: `hzlink up`, `hzlink status`. Leaves nothing behind.
#
#   scripts/demo.sh          in the `measured` profile: with the delays of real Skupper
#   scripts/demo.sh --keep   leaves the sandbox up, and says what to type next
set -euo pipefail
cd "$(dirname "$0")/.."
keep=
for argument in "$@"; do
  case $argument in
    --keep) keep=yes ;;
    *) echo "usage: scripts/demo.sh [--keep]" >&2; exit 2 ;;
  esac
done
. scripts/env.sh
export PATH=$PWD/.venv/bin:$PATH

# The demo's record must not replace the one of the user's own last run.
state=$PWD/.sandbox/demo-state
if [ -z "$keep" ]; then
  trap 'scripts/sandbox.sh down --name demo; rm -rf "$state"' EXIT
  trap 'exit 130' INT TERM
  scripts/sandbox.sh up --name demo --profile measured --owner $$
else
  scripts/sandbox.sh up --name demo --profile measured
fi
eval "$(scripts/sandbox.sh env --name demo)"
export XDG_STATE_HOME=$state

run() { printf '\n$ %s\n' "$*"; "$@"; }
run hzlink up --client-ctx client --cluster-ctx cluster
run hzlink status

if [ -n "$keep" ]; then
  cat <<NEXT

The sandbox stays up. To use it from your shell:
  source .venv/bin/activate
  eval "\$(scripts/sandbox.sh env --name demo)"
  export XDG_STATE_HOME=$state
  hzlink status
  kubectl --context client get pods,services
  hzlink down
To end it: scripts/sandbox.sh down --name demo
NEXT
fi
