#!/usr/bin/env bash
# Holds Management Center back until the members' names resolve: it does not recover when it finds nobody at its
# start. Skupper makes these names once the sites are linked, so this may wait for as long as nothing is linked.
#
# HAZELCAST_MEMBERS       how many members are expected: hazelcast-0 and up
# HAZELCAST_WAIT_SECONDS  after these, some members will do: one that is down for long must not keep Management
#                         Center away from the others
set -eu

members=${HAZELCAST_MEMBERS:-3}
patience=${HAZELCAST_WAIT_SECONDS:-300}
last=

while true; do
  found=0
  missing=
  for ((i = 0; i < members; i++)); do
    if getent hosts "hazelcast-$i" >/dev/null; then
      found=$((found + 1))
    else
      missing="$missing hazelcast-$i"
    fi
  done
  if [ -z "$missing" ]; then
    echo "all $members members' names resolve"
    exit 0
  fi
  if [ "$found" -gt 0 ] && [ "$SECONDS" -ge "$patience" ]; then
    echo "going on with $found of $members members after $SECONDS s, without:$missing"
    exit 0
  fi
  if [ "$missing" != "$last" ]; then
    echo "waiting for:$missing"
    last=$missing
  fi
  sleep 0.5
done
