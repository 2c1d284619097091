#!/usr/bin/env bash
# Holds Management Center back until the members' names resolve: it does not recover when it finds nobody at its
# start. Skupper makes these names once the sites are linked, so this may wait for as long as nothing is linked.
#
# HAZELCAST_MEMBERS       how many members are expected: hazelcast-0 and up
# HAZELCAST_MEMBER_NAMES  the names of other members, instead of these; separated by spaces
# HAZELCAST_WAIT_SECONDS  after these, some members will do: one that is down for long must not keep Management
#                         Center away from the others
# HAZELCAST_LEAST_MEMBERS how many will do then; 0 if members get other names when they are replaced
set -eu

members=${HAZELCAST_MEMBERS:-3}
patience=${HAZELCAST_WAIT_SECONDS:-300}
least=${HAZELCAST_LEAST_MEMBERS:-1}
# Split at spaces. Not `read <<<`: that may need a writable file system.
# shellcheck disable=SC2206
names=(${HAZELCAST_MEMBER_NAMES:-})
if [ "${#names[@]}" -eq 0 ]; then
  for ((i = 0; i < members; i++)); do
    names+=("hazelcast-$i")
  done
fi
members=${#names[@]}
last=

while true; do
  found=0
  missing=
  for name in "${names[@]}"; do
    if getent hosts "$name" >/dev/null; then
      found=$((found + 1))
    else
      missing="$missing $name"
    fi
  done
  if [ -z "$missing" ]; then
    echo "all $members members' names resolve"
    exit 0
  fi
  if [ "$found" -ge "$least" ] && [ "$SECONDS" -ge "$patience" ]; then
    echo "going on with $found of $members members after $SECONDS s, without:$missing"
    exit 0
  fi
  if [ "$missing" != "$last" ]; then
    echo "waiting for:$missing"
    last=$missing
  fi
  sleep 0.5
done
