# Process 1 of a node's namespaces (see namespaces.ts). `sh namespaces.sh PRIVATE ADDRESS`: PRIVATE is a folder of the
# cluster that holds whatever the node writes to the paths below, ADDRESS that of the node, as 10.77.0.1/24.
set -eu
private=$1
address=$2

# Nothing that is mounted from here on is seen outside; what is mounted in a pod is seen by the kubelet.
mount --make-rprivate /
mount --make-rshared /

# A network with no way out: the default route only gives the addresses of Services a device to be looked up on.
ip link set lo up
ip link add node0 type bridge
ip address add "$address" dev node0
ip link set node0 up
ip route add default dev node0
echo 1 >/proc/sys/net/ipv4/ip_forward

# The machine's files as they are; what is written there stays with us.
mkdir -p "$private/over"
mount -t tmpfs tmpfs "$private/over"
for path in run var/lib var/log; do
  over=$private/over/$path
  mkdir -p "$over/upper" "$over/work"
  mount -t overlay -o "lowerdir=/$path,upperdir=$over/upper,workdir=$over/work" overlay "/$path"
done

# What another kubelet or containerd of the machine has there is none of our business; ours begins empty.
for path in run/containerd run/netns var/lib/cni var/lib/containerd var/lib/kubelet var/log/containers var/log/pods; do
  mkdir -p "$private/$path" "/$path"
  mount --bind "$private/$path" "/$path"
done

# The kubelet insists on its values of these, which belong to the whole machine: it gets copies to write to.
for path in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
  kernel/keys/root_maxbytes; do
  [ -e "/proc/sys/$path" ] || continue
  mkdir -p "$private/sys/$(dirname "$path")"
  cat "/proc/sys/$path" >"$private/sys/$path"
  mount --bind "$private/sys/$path" "/proc/sys/$path"
done

: >"$private/ready"
trap 'exit 0' TERM
# In the background, because a shell looks at a signal only when no command is in front.
while :; do
  sleep 3600 &
  wait $! || true
done
