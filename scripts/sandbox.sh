#!/usr/bin/env bash
# Two Kubernetes clusters on this machine, without Docker: sandbox.sh up|down|env|status|build [--name NAME]
set -euo pipefail

# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
export PYTHONPATH=$root/scripts
exec "$python" -P -m sandbox "$@"
