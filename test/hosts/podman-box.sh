#!/bin/bash
# podman-box.sh start DIR [--net] | stop DIR      (root; DIR absolute)
# Podman's service with a store of its own, in namespaces for processes and mounts. Its containers share the network of the
# machine, since its bridges would leave rules behind, unless --net gives it one of its own. The socket is DIR/d.sock.
set -eu
op=$1
export D=$2
case $op in
start)
  mkdir -p "$D/etc"
  cat >"$D/etc/containers.conf" <<C
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
# Health checks would be timers of a systemd that is not there.
env = ["DISABLE_HC_SYSTEMD=true"]
tmp_dir = "$D/tmp"
volume_path = "$D/volumes"
[network]
network_config_dir = "$D/net"
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=4096:4096","nproc=4096:4096"]
C
  cat >"$D/etc/storage.conf" <<C
[storage]
driver = "vfs"
runroot = "$D/run"
graphroot = "$D/graph"
C
  # Read once, when the service begins.
  if [ -n "${INSECURE_REGISTRY:-}" ]; then
    printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$INSECURE_REGISTRY" >"$D/etc/registries.conf"
  fi
  cat >"$D/init.sh" <<'I'
mount -t tmpfs tmpfs /run
# A disk of its own that can be filled.
[ -z "${BOX_DISK:-}" ] || { mkdir -p "$D/graph"; mount -t tmpfs -o "size=$BOX_DISK" tmpfs "$D/graph"; }
mkdir -p /run/netns
if [ "$net" != '' ]; then ip link set lo up; fi
# Monitors of containers call podman themselves, without the environment of the service.
cp -n /etc/containers/policy.json "$D/etc/" 2>/dev/null || true
mount --bind "$D/etc" /etc/containers
# A monitor may write its file "oom" where it was started.
cd "$D"
podman system service --time=0 "unix://$D/d.sock" &
# Somebody has to take leave of the monitors of containers.
while :; do wait -n 2>/dev/null || sleep 1; done
I
  export net=${3:-}
  setsid unshare --pid --mount $net --fork --kill-child --mount-proc --propagation private \
    bash "$D/init.sh" >"$D/box.log" 2>&1 </dev/null &
  echo $! >"$D/box.pid"
  ;;
stop)
  pid=$(cat "$D/box.pid" 2>/dev/null || true)
  if [ -n "$pid" ]; then
    kill -9 "$pid" 2>/dev/null || true
    while [ -d "/proc/$pid" ]; do sleep 0.05; done
  fi
  find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' -exec rmdir {} \; 2>/dev/null || true
  rm -rf "$D"
  ;;
esac
