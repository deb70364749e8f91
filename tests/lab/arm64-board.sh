#!/bin/bash
# Run an arm64 board in the foreground: sshd of the arm64 root in its own mount, process and host-name
# namespaces. When this process dies, everything on the board dies with it.
#
#   arm64-board.sh ROOT PERSONA
#
# ROOT is a tree of arm64-rootfs.sh with etc/ssh/sshd_config and a host key; PERSONA is a folder with the
# `cpuinfo` of a real board, bound over /proc/cpuinfo. Both this and the pinned QEMU_CPU are needed: with the
# host's x86 cpuinfo ai-edge-litert crashes under qemu-user 7.2, and with qemu's default CPU its int8 results
# are wrong. sshd drops its own environment, so QEMU_CPU reaches the logins by SetEnv.
set -euo pipefail

if [ "${3:-}" != inside ]; then
    exec unshare --mount --propagation private --pid --fork --kill-child=KILL --uts --ipc \
        bash "$0" "$1" "$2" inside
fi

root=$1 persona=$2
hostname raspberrypi
mount -t proc proc "$root/proc"
mount --bind "$persona/cpuinfo" "$root/proc/cpuinfo"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o size=1m,mode=755 dev "$root/dev"
for node in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"
done
mkdir "$root/dev/shm"
mount -t tmpfs -o size=16m,mode=1777 shm "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o size=8m,mode=755 run "$root/run"
mkdir -p "$root/run/sshd"
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 QEMU_CPU="$(cat "$persona/qemu_cpu")" \
    chroot "$root" /usr/sbin/sshd -D -e
