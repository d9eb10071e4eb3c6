#!/bin/bash
# Installs the system packages that live tests drive, as far as this machine allows. Never fails: what is missing is said
# in one line each, and the tests that need it skip themselves.
set -u

# program:package
wanted='nginx:nginx-light chromium:chromium ip:iproute2 setpriv:util-linux promtool:prometheus curl:curl busybox:busybox-static redis-server:redis-server dockerd:docker.io containerd:containerd podman:podman runc:runc conmon:conmon catatonit:catatonit systemctl:systemd dbus-daemon:dbus sshd:openssh-server ssh:openssh-client sudo:sudo'

missing=''
for pair in $wanted; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null || missing="$missing $pair"
done
[ -n "$missing" ] || exit 0

become=''
if [ "$(id -u)" != 0 ]; then
  if sudo -n true 2>/dev/null; then become='sudo -n'; else
    echo "not root and no sudo: these stay missing:$missing"
    exit 0
  fi
fi
if ! command -v apt-get >/dev/null; then
  echo "no apt-get here: these stay missing:$missing"
  exit 0
fi
$become apt-get update -qq >/dev/null 2>&1 || echo 'apt-get update failed: trying with the lists that are there'
for pair in $missing; do
  package=${pair#*:}
  # Daemons of these packages must not start: the tests start their own.
  timeout 240 $become env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 ||
    echo "$package could not be installed: tests that need ${pair%%:*} skip themselves"
done
