#!/bin/bash
# docker-box.sh start DIR | stop DIR      (root; DIR absolute)
# A dockerd of its own: processes and mounts in namespaces, so that killing the first process ends all of it, and the network
# of the machine, so that published ports are on its loopback. Its socket is DIR/d.sock.
set -eu
op=$1
export D=$2
bridge=br$(echo "$D" | cksum | cut -c1-8)
export bridge
case $op in
start)
  mkdir -p "$D"
  ip link add "$bridge" type bridge
  ip addr add "10.$((RANDOM % 100 + 100)).$((RANDOM % 250)).1/24" dev "$bridge"
  ip link set "$bridge" up
  cat >"$D/init.sh" <<'I'
mount -t tmpfs tmpfs /run
# A disk of its own that can be filled.
[ -z "${BOX_DISK:-}" ] || { mkdir -p "$D/data"; mount -t tmpfs -o "size=$BOX_DISK" tmpfs "$D/data"; }
exec dockerd --data-root "$D/data" --exec-root /run/dk -H "unix://$D/d.sock" --pidfile /run/d.pid -s overlay2 \
  --bridge="$bridge" --iptables=false --ip-masq=false
I
  setsid unshare --pid --mount --fork --kill-child --mount-proc --propagation private \
    bash "$D/init.sh" >"$D/box.log" 2>&1 </dev/null &
  echo $! >"$D/box.pid"
  ;;
stop)
  pid=$(cat "$D/box.pid" 2>/dev/null || true)
  if [ -n "$pid" ]; then
    kill -9 "$pid" 2>/dev/null || true
    while [ -d "/proc/$pid" ]; do sleep 0.05; done
  fi
  ip link del "$bridge" 2>/dev/null || true
  # Controllers of version 1 keep the folders of containers; those in use cannot be removed.
  find /sys/fs/cgroup -depth -type d -path '*/docker*' -exec rmdir {} \; 2>/dev/null || true
  rm -rf "$D"
  ;;
esac
