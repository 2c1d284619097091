#!/usr/bin/env bash
# Two Kubernetes clusters on this machine, without Docker: sandbox.sh up|down|env|status|build [--name NAME]
# HZLINK_SANDBOX_DOWNLOAD=1 only downloads the clusters' programs, =0 only builds them; default: builds what it cannot
# download. HZLINK_SANDBOX_CACHE is the folder for them (default ~/.cache/hzlink-sandbox).
set -euo pipefail

# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
export PYTHONPATH=$root/scripts
exec "$python" -P -m sandbox "$@"
