#!/bin/bash
# A machine for tests with systemd as its first process: pid, mount, network, host name, ipc and cgroup namespaces of its
# own, the host's /usr under a root in memory, its own /etc, /run, /var and /tmp. Needs root, cgroups of version 1 or hybrid.
#
#   systemd-box.sh start FOLDER      FOLDER (absolute) is visible inside as itself; prints the pid of systemd, seen from outside
#   systemd-box.sh stop FOLDER       powers it off and leaves nothing behind
#   systemd-box.sh enter FOLDER COMMAND...
#
# BOX_BIND: more folders that are visible inside as they are outside, separated by colons (read and write).
# BOX_NODE=1: it has what a kubelet wants too.
set -eu
verb=$1 folder=$2
shift 2
controllers='cpu cpuacct memory pids devices freezer blkio'
[ -z "${BOX_NODE:-}" ] || controllers="$controllers cpuset"
top=/sys/fs/cgroup

leader() { pgrep -P "$(cat "$folder/outer.pid")" | head -n 1; }

# Every cgroup that the box had, deepest first.
forget_cgroups() {
  for hierarchy in $controllers systemd unified; do
    [ -d "$top/$hierarchy/$1" ] || continue
    find "$top/$hierarchy/$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

case $verb in
  enter) exec nsenter -t "$(leader)" -m -p -n -u -i -C "$@" ;;
  stop)
    outer=$(cat "$folder/outer.pid")
    inner=$(leader || true)
    # SIGRTMIN+4 is "power off".
    [ -z "$inner" ] || kill -s RTMIN+4 "$inner"
    for _ in $(seq 100); do [ -d "/proc/$outer" ] || break; sleep 0.1; done
    # unshare --kill-child takes the whole namespace along.
    [ ! -d "/proc/$outer" ] || kill -9 "$outer"
    while [ -d "/proc/$outer" ]; do sleep 0.05; done
    forget_cgroups "$(cat "$folder/cgroup")"
    exit 0
    ;;
  start) ;;
  *) echo "systemd-box.sh: start, stop or enter" >&2; exit 2 ;;
esac

for hierarchy in $controllers systemd; do
  [ -d "$top/$hierarchy" ] || { echo "systemd-box.sh: no cgroup hierarchy $hierarchy of version 1 here" >&2; exit 3; }
done
name=berth-box-$$
mkdir -p "$folder/root"
echo "$name" >"$folder/cgroup"
for hierarchy in $controllers systemd unified; do
  [ -d "$top/$hierarchy" ] || continue
  mkdir -p "$top/$hierarchy/$name"
  # Nothing may enter a set without CPUs.
  [ "$hierarchy" != cpuset ] || for set in cpus mems; do cat "$top/cpuset/cpuset.$set" >"$top/cpuset/$name/cpuset.$set"; done
done

cat >"$folder/inside.sh" <<'INSIDE'
set -eu
ip link set lo up
mount -t tmpfs -o mode=755 tmpfs "$folder/root"
cd "$folder/root"
mkdir -p usr etc/systemd/system var run proc sys dev home opt srv mnt
mkdir -m 1777 tmp
mkdir -m 700 root
for link in bin sbin lib lib64; do [ ! -L "/$link" ] || ln -s "usr/$link" "$link"; done
mount --rbind /usr usr
mount --rbind /dev dev
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs tmpfs sys/fs/cgroup
for one in $controllers; do
  mkdir "sys/fs/cgroup/$one"
  mount -t cgroup -o "$one" cgroup "sys/fs/cgroup/$one"
done
mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
cp /etc/passwd /etc/group /etc/shadow /etc/nsswitch.conf etc/
cp -r /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d /etc/alternatives /etc/pam.d /etc/security etc/ 2>/dev/null || true
printf '127.0.0.1 localhost\n' >etc/hosts
# An empty one would mean a first boot, which starts every installed service.
tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
cat >etc/systemd/system/box.target <<TARGET
[Unit]
Requires=basic.target dbus.socket systemd-journald.socket
After=basic.target dbus.socket
Wants=multi-user.target
TARGET
# Of what is installed nothing else is wanted here.
ln -s /dev/null etc/systemd/system/systemd-update-utmp-runlevel.service
mount -t tmpfs -o mode=755 tmpfs run
IFS=:
for shared in $folder ${BOX_BIND:-}; do
  # shellcheck disable=SC2086
  mkdir -p "./$shared" && mount --bind "$shared" "./$shared"
done
unset IFS
pivot_root . mnt
umount -l /mnt
# Credentials are mounted in a namespace of their own and reach the unit by propagation; in a container systemd leaves this to its maker.
mount --make-rshared /
exec env -i container=berth-box /usr/lib/systemd/systemd systemd.unit=box.target \
  systemd.condition-first-boot=no --log-target=journal
INSIDE

export folder name controllers top BOX_BIND="${BOX_BIND:-}"
setsid bash -c '
  for one in $controllers systemd unified; do
    [ ! -d "$top/$one/$name" ] || echo $BASHPID >"$top/$one/$name/cgroup.procs"
  done
  exec unshare --pid --fork --kill-child --mount --net --uts --ipc --cgroup --propagation private bash "$folder/inside.sh"
' >"$folder/box.log" 2>&1 </dev/null &
echo $! >"$folder/outer.pid"
for _ in $(seq 300); do
  state=$("$0" enter "$folder" systemctl is-system-running 2>/dev/null || true)
  case $state in running | degraded) leader; exit 0 ;; esac
  [ -d "/proc/$(cat "$folder/outer.pid")" ] || break
  sleep 0.1
done
echo "systemd-box.sh: systemd did not come up (state: ${state:-none}); its output:" >&2
cat "$folder/box.log" >&2
"$0" stop "$folder" || true
exit 1
