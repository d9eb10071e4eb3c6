#!/bin/bash
# kube-box.sh start DIR | stop DIR | inside DIR | proxy DIR | unproxy DIR  (root; DIR absolute; BIN: folder with etcd, …)
# A whole cluster of one node: control plane, containerd and kubelet in namespaces of their own, so that killing the first
# process ends all of it. A pair of veths leads there from the machine: DIR/address holds the server's address, and pods
# have addresses that the machine reaches. DIR/images/*.tar are imported before the kubelet starts.
# "inside" makes the machine that it is called in the node: nothing is unshared, and it goes on until it is ended.
# "proxy" starts kube-proxy on the node of a started one, so that addresses of Services answer; "unproxy" ends it.
set -eu
export op=$1
export D=$2
sum=$(echo "$D" | cksum | cut -d' ' -f1)
export a=$((sum % 100 + 100)) b=$((sum / 100 % 250)) v=$((sum % 1000000))
export outside=10.$a.$b.1 inside=10.$a.$b.2 pods=10.$((sum / 1000 % 50 + 200)).$b.0/24
# A machine's systemd takes cgroups away that it was not asked for, and the kubelet then ends the pods in them.
case $op in
inside) driver=systemd cgroups=/ ;;
*) driver=cgroupfs cgroups=/$(basename "$D") ;;
esac
case $op in
start | inside)
  mkdir -p "$D/pki" "$D/cni" "$D/logs"
  echo "$inside" >"$D/address"
  token=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
  echo "$token,admin,admin,\"system:masters\"" >"$D/pki/tokens.csv"
  openssl genrsa -out "$D/pki/sa.key" 2048 2>/dev/null
  openssl rsa -in "$D/pki/sa.key" -pubout -out "$D/pki/sa.pub" 2>/dev/null
  cat >"$D/kubeconfig" <<C
apiVersion: v1
kind: Config
clusters: [{name: box, cluster: {server: "https://$inside:26443", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: $token}}]
contexts: [{name: box, context: {cluster: box, user: admin}}, {name: default, context: {cluster: box, user: admin}}]
current-context: box
C
  cat >"$D/kubelet.yaml" <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $inside
port: 20250
healthzPort: 20248
readOnlyPort: 0
failCgroupV1: false
cgroupDriver: $driver
cgroupRoot: $cgroups
cgroupsPerQOS: true
enforceNodeAllocatable: []
failSwapOn: false
containerRuntimeEndpoint: unix://$D/ctd.sock
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
resolvConf: ""
oomScoreAdj: 0
evictionHard: {memory.available: 1Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
podLogsDir: $D/podlogs
syncFrequency: 5s
nodeStatusUpdateFrequency: 5s
C
  cat >"$D/containerd.toml" <<C
version = 2
root = "$D/ctd-root"
state = "$D/ctd-state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs","io.containerd.snapshotter.v1.zfs","io.containerd.snapshotter.v1.devmapper","io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "$D/ctd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$D/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = $([ $driver = systemd ] && echo true || echo false)
C
  cat >"$D/cni/10-box.conflist" <<C
{"cniVersion":"0.4.0","name":"box","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,
  "ipam":{"type":"host-local","dataDir":"$D/ipam","ranges":[[{"subnet":"$pods"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
C
  cat >"$D/init.sh" <<'I'
ip link set lo up
if [ "$op" = start ]; then
  mount -t tmpfs tmpfs /run
  while ! ip link show "vb$v" >/dev/null 2>&1; do sleep 0.05; done
else
  # A bridge without ports has the address: loopback is refused as that of a node.
  ip link add "vb$v" type bridge
fi
mkdir -p /run/netns /run/lock
echo 1 >/proc/sys/net/ipv4/ip_forward
if [ "$op" = start ]; then
  # What kube-proxy would do for the one address that pods ask the cluster at.
  iptables -t nat -A PREROUTING -d 10.96.0.1 -p tcp --dport 443 -j DNAT --to-destination "$inside:26443" || true
fi
ip addr add "$inside/30" dev "vb$v"
ip link set "vb$v" up
ip route add default via "$outside"
run() { "$@" >"$D/logs/$(basename "$1").log" 2>&1 & }
run "$BIN/etcd" --data-dir "$D/etcd" --listen-client-urls http://127.0.0.1:23790 --advertise-client-urls http://127.0.0.1:23790 \
  --listen-peer-urls http://127.0.0.1:23791 --initial-advertise-peer-urls http://127.0.0.1:23791 \
  --initial-cluster default=http://127.0.0.1:23791 --unsafe-no-fsync
run "$BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:23790 --bind-address=0.0.0.0 --advertise-address="$inside" \
  --secure-port=26443 --cert-dir="$D/pki/serving" --service-cluster-ip-range=10.96.0.0/16 \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$D/pki/sa.pub" \
  --service-account-signing-key-file="$D/pki/sa.key" --token-auth-file="$D/pki/tokens.csv" --authorization-mode=RBAC \
  --endpoint-reconciler-type=none --kubelet-preferred-address-types=InternalIP --allow-privileged=true
run containerd -c "$D/containerd.toml"
until ctr -a "$D/ctd.sock" version >/dev/null 2>&1; do sleep 0.1; done
for image in "$D"/images/*.tar; do ctr -a "$D/ctd.sock" -n k8s.io images import "$image" >>"$D/logs/images.log" 2>&1; done
until curl -ksf "https://$inside:26443/readyz" >/dev/null 2>&1; do sleep 0.2; done
run "$BIN/kube-controller-manager" --kubeconfig="$D/kubeconfig" --service-account-private-key-file="$D/pki/sa.key" \
  --root-ca-file="$D/pki/serving/apiserver.crt" --use-service-account-credentials=false --leader-elect=false --bind-address=127.0.0.1 --secure-port=26457 --cert-dir="$D/pki/kcm"
run "$BIN/kube-scheduler" --kubeconfig="$D/kubeconfig" --leader-elect=false --bind-address=127.0.0.1 --secure-port=26459 \
  --cert-dir="$D/pki/sched"
# A kubelet that ends at its start is started again, as a system manager would.
while :; do
  "$BIN/kubelet" --config "$D/kubelet.yaml" --kubeconfig "$D/kubeconfig" --root-dir "$D/kroot" --cert-dir "$D/kcert" \
    --hostname-override=node1 --node-ip="$inside" >>"$D/logs/kubelet.log" 2>&1
  echo "kubelet ended with $?" >>"$D/logs/kubelet.log"
  sleep 1
done
I
  # Those of a machine with systemd it makes.
  [ $driver = systemd ] || for c in /sys/fs/cgroup/*/; do mkdir -p "$c$(basename "$D")" 2>/dev/null || true; done
  cpuset=/sys/fs/cgroup/cpuset
  if [ -d "$cpuset/$(basename "$D")" ]; then
    cat $cpuset/cpuset.cpus >"$cpuset/$(basename "$D")/cpuset.cpus"
    cat $cpuset/cpuset.mems >"$cpuset/$(basename "$D")/cpuset.mems"
  fi
  [ "$op" = start ] || exec bash "$D/init.sh"
  setsid unshare --pid --net --mount --uts --ipc --fork --kill-child --mount-proc --propagation private \
    bash "$D/init.sh" >"$D/box.log" 2>&1 </dev/null &
  echo $! >"$D/box.pid"
  first=''
  until [ -n "$first" ]; do
    sleep 0.05
    first=$(pgrep -P "$(cat "$D/box.pid")" | head -1)
  done
  ip link add "va$v" type veth peer name "vb$v" netns "$first"
  ip addr add "$outside/30" dev "va$v"
  ip link set "va$v" up
  ip route add "$pods" via "$inside"
  ;;
proxy)
  cat >"$D/proxy.yaml" <<C
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
bindAddress: $inside
healthzBindAddress: $inside:20256
metricsBindAddress: 127.0.0.1:20249
hostnameOverride: node1
clientConnection: {kubeconfig: "$D/kubeconfig"}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
C
  first=$(pgrep -P "$(cat "$D/box.pid")" | head -1)
  nsenter --target "$first" --pid --net --mount -- bash -c \
    "'$BIN/kube-proxy' --config '$D/proxy.yaml' >'$D/logs/kube-proxy.log' 2>&1 </dev/null & echo \$! >'$D/proxy.pid'"
  ;;
unproxy)
  first=$(pgrep -P "$(cat "$D/box.pid")" | head -1)
  nsenter --target "$first" --pid --net --mount -- bash -c \
    "kill '$(cat "$D/proxy.pid")'; while [ -d '/proc/$(cat "$D/proxy.pid")' ]; do sleep 0.1; done; '$BIN/kube-proxy' --cleanup" \
    >>"$D/logs/kube-proxy.log" 2>&1
  rm "$D/proxy.pid"
  ;;
stop)
  pid=$(cat "$D/box.pid" 2>/dev/null || true)
  if [ -n "$pid" ]; then
    kill -9 "$pid" 2>/dev/null || true
    while [ -d "/proc/$pid" ]; do sleep 0.05; done
  fi
  ip route del "$pods" 2>/dev/null || true
  ip link del "va$v" 2>/dev/null || true
  find /sys/fs/cgroup/*/"$(basename "$D")" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  rm -rf "$D" 2>/dev/null || true
  ;;
esac
