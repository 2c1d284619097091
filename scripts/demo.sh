#!/usr/bin/env bash
# Creates the environment and a sandbox of two Kubernetes clusters, then runs `hzlink up` and `hzlink status` there.
# Removes the sandbox afterwards.
#
#   scripts/demo.sh          profile `measured`: the delays of real Skupper
#   scripts/demo.sh --keep   keeps the sandbox and prints the next commands
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

# The demo must not overwrite the record of the user's last run.
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

The sandbox keeps running. To use it from your shell:
  source .venv/bin/activate
  eval "\$(scripts/sandbox.sh env --name demo)"
  export XDG_STATE_HOME=$state
  hzlink status
  kubectl --context client get pods,services
  hzlink down
To end it: scripts/sandbox.sh down --name demo
NEXT
fi
