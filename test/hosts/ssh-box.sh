#!/bin/bash
# A machine for tests that is reached by ssh alone: network, pid, mount and host name namespaces of its own with a real sshd in them,
# joined to this machine by a cable of its own. Files are this machine's; the home of who logs in is FOLDER/home. Needs root.
#
#   ssh-box.sh start FOLDER     FOLDER (absolute, without spaces) gets keys, and an "ssh" that knows the hosts box, changed, unknown,
#                               denied and dead, to be put on PATH; prints the pid of the first process of the box
#   ssh-box.sh stop FOLDER      leaves nothing running
#   ssh-box.sh enter FOLDER COMMAND...
#
# BOX_PATH (start): the PATH of who logs in.
# BOX_PID (start): a process of a machine that is there already, seen from outside; sshd is put into that one, which sees FOLDER, and
# it ends with that machine.
set -eu
verb=$1 folder=$2
shift 2
leader() { if [ -s "$folder/into.pid" ]; then cat "$folder/into.pid"; else pgrep -P "$(cat "$folder/outer.pid")" | head -n 1; fi; }

case $verb in
  enter) exec nsenter -t "$(leader)" -m -p -n -u "$@" ;;
  stop)
    if [ -s "$folder/into.pid" ]; then
      # systemd stops all before it ends them, and nsenter stops with its child and stays so.
      kill -9 "$(cat "$folder/outer.pid")" 2>/dev/null || true
      exit 0
    fi
    outer=$(cat "$folder/outer.pid")
    # unshare --kill-child takes the whole namespace along, and that the cable.
    kill -9 "$outer" 2>/dev/null || true
    while [ -d "/proc/$outer" ]; do sleep 0.05; done
    exit 0
    ;;
  start) ;;
  *) echo "ssh-box.sh: start, stop or enter" >&2; exit 2 ;;
esac

mkdir -p "$folder/home" "$folder/bin"
[ -z "${BOX_PID:-}" ] || echo "$BOX_PID" >"$folder/into.pid"
for key in host client other; do ssh-keygen -q -t ed25519 -N '' -f "$folder/$key"; done
cp "$folder/client.pub" "$folder/authorized_keys"
name=bs$$
# Two boxes at a time may not have one network.
while net=10.251.$((RANDOM % 256)) && ip -o addr | grep -qF " $net."; do :; done
near=$net.1 far=$net.2
cat >"$folder/sshd_config" <<SSHD
ListenAddress $far
HostKey $folder/host
AuthorizedKeysFile $folder/authorized_keys
StrictModes no
UsePAM no
PidFile $folder/sshd.pid
SetEnv HOME=$folder/home${BOX_PATH:+ PATH=$BOX_PATH}
SSHD
cat >"$folder/inside.sh" <<INSIDE
set -eu
if [ -z "${BOX_PID:-}" ]; then
  mount -t proc proc /proc
  mount -t tmpfs tmpfs /run
  hostname box
  ip link set lo up
fi
mkdir -p /run/sshd
[ -d /run/lock ] || mkdir -m 1777 /run/lock
while ! ip link show $name-b >/dev/null 2>&1; do sleep 0.02; done
ip addr add $far/30 dev $name-b
ip link set $name-b up
exec $(command -v sshd || echo /usr/sbin/sshd) -D -e -f $folder/sshd_config
INSIDE
cat >"$folder/ssh_config" <<CONFIG
Host box changed unknown denied
  HostName $far
Host dead
  HostName $far
  Port 9
Host changed
  UserKnownHostsFile $folder/known_wrong
Host unknown
  UserKnownHostsFile /dev/null
Host denied
  IdentityFile $folder/other
Host box changed unknown dead
  IdentityFile $folder/client
Host *
  User root
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile $folder/known_hosts
  GlobalKnownHostsFile /dev/null
CONFIG
echo "$far $(cut -d' ' -f1,2 "$folder/host.pub")" >"$folder/known_hosts"
echo "$far $(cut -d' ' -f1,2 "$folder/other.pub")" >"$folder/known_wrong"
# What the user has in ~/.ssh/config: ssh finds that by the user, not by HOME. A later -F takes its place.
printf '#!/bin/sh\nexec %s -F %s "$@"\n' "$(command -v ssh)" "$folder/ssh_config" >"$folder/bin/ssh"
chmod +x "$folder/bin/ssh"

if [ -n "${BOX_PID:-}" ]; then
  setsid nsenter -t "$BOX_PID" -m -p -n -u -i -C bash "$folder/inside.sh" >"$folder/box.log" 2>&1 </dev/null &
else
  setsid unshare --pid --fork --kill-child --mount --net --uts --propagation private \
    bash "$folder/inside.sh" >"$folder/box.log" 2>&1 </dev/null &
fi
echo $! >"$folder/outer.pid"
for _ in $(seq 100); do [ -z "$(leader)" ] || break; sleep 0.05; done
ip link add "$name-a" type veth peer name "$name-b" netns "$(leader)"
ip addr add "$near/30" dev "$name-a"
ip link set "$name-a" up
for _ in $(seq 200); do
  if [ -s "$folder/sshd.pid" ] && "$folder/bin/ssh" -o BatchMode=yes -o ConnectTimeout=2 box true 2>/dev/null; then
    leader
    exit 0
  fi
  [ -d "/proc/$(cat "$folder/outer.pid")" ] || break
  sleep 0.1
done
echo "ssh-box.sh: sshd did not come up; its output:" >&2
cat "$folder/box.log" >&2
"$0" stop "$folder" || true
exit 1
