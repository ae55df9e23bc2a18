#!/usr/bin/env bash
# Measures how much of the exchange between two hosts a training step hides when their network is slow. The hosts are
# two network namespaces of this machine, joined by a pair of virtual interfaces that tc limits; each has one core.
# Needs root, iproute2 and two free cores; nobody else should use the machine meanwhile.
#   tests/bench/slow_network.sh [RATE] [BENCHMARK OPTION...]     RATE as tc takes it, default 1100mbit
# Choose RATE so that "the exchange alone" takes about half a backward pass, which is a third of the step without
# exchange.
set -euo pipefail
cd "$(dirname "$0")/../.."
rate=${1:-1100mbit}
shift || true

first=chainrule-first
second=chainrule-second
folder=$(mktemp --directory)
clean_up() {
  ip netns del "$first" 2>/dev/null || true
  ip netns del "$second" 2>/dev/null || true
  rm -rf "$folder"
}
trap clean_up EXIT

ip netns add "$first"
ip netns add "$second"
ip link add cr-first netns "$first" type veth peer name cr-second netns "$second"
for side in first second; do
  space=chainrule-$side
  address=10.83.0.$([ "$side" = first ] && echo 1 || echo 2)
  ip -n "$space" address add "$address/24" dev "cr-$side"
  ip -n "$space" link set lo up
  ip -n "$space" link set "cr-$side" up
  tc -n "$space" qdisc add dev "cr-$side" root tbf rate "$rate" burst 1mb latency 100ms
done

# mpirun calls the agent as it would call ssh: HOST COMMAND...
cat >"$folder/agent" <<AGENT
#!/bin/sh
shift
exec ip netns exec $second unshare --uts sh -c "hostname $second; \$*"
AGENT
cat >"$folder/on-one-core" <<'PIN'
#!/bin/sh
exec taskset --cpu-list "$OMPI_COMM_WORLD_RANK" "$@"
PIN
chmod +x "$folder/agent" "$folder/on-one-core"

ip netns exec "$first" unshare --uts sh -c "hostname $first; exec \"\$@\"" sh \
  env OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
  mpirun --host 10.83.0.1,10.83.0.2 --mca plm_rsh_agent "$folder/agent" --mca btl self,tcp --mca pml ob1 --bind-to none -n 2 \
  "$folder/on-one-core" build/release/chainrule benchmark --micro-batch 1 --global-batch 2 "$@"
