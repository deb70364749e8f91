#!/bin/bash
# The file system of an emulated arm64 board: Debian with python3, sshd and libstdc++, and no Python package.
#
#   arm64-rootfs.sh build DIR           make it (network, about a minute)
#   arm64-rootfs.sh pack DIR FILE       keep it as FILE (.tar.zst)
#   arm64-rootfs.sh unpack FILE DIR     get it back (seconds)
#   arm64-rootfs.sh binfmt              let this kernel run arm64 programs through qemu-user (root)
#
# Packages are only UNPACKED (mmdebstrap --variant=extract): no maintainer script runs, so nothing is
# emulated while building; a classic build takes ten times as long. The few things that the scripts would have
# done and a test board needs (users, keys) are done here, natively.
#
# Needs: mmdebstrap arch-test qemu-user-static zstd.
# Env:   MIRROR (default: the host's own Debian mirror).
set -euo pipefail

SUITE=bookworm
PACKAGES=(
    # Without maintainer scripts 'Essential' means nothing: the base is named by hand.
    base-files base-passwd bash coreutils dash debianutils findutils grep gzip hostname libc-bin login
    procps sed tar util-linux libpam-runtime ca-certificates
    openssh-server python3
    # Not in Debian's python3, and both runtimes and NumPy fail at import without it.
    libstdc++6 libgcc-s1
)

die() {
    echo "arm64-rootfs: $*" >&2
    exit 1
}

mirror() {
    local found
    found=$({
        sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources
        sed -n 's/^deb *\(\[[^]]*\]\)\? *\([^ ]*\).*/\2/p' /etc/apt/sources.list
    } 2> /dev/null | grep -E '/debian/?$' | head -n 1 || true)
    echo "${MIRROR:-${found:?no Debian mirror is configured here: set MIRROR}}"
}

build() {
    local dir=$1 mode=root
    [ -e "$dir" ] && die "$dir exists"
    [ "$(id -u)" = 0 ] || mode=unshare
    mmdebstrap --quiet --mode=$mode --variant=extract --arch=arm64 --include="$(IFS=,; echo "${PACKAGES[*]}")" \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --aptopt='Apt::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        $SUITE "$dir" "deb $(mirror) $SUITE main"
    finish "$dir"
    byte_compile "$dir"
}

# What the maintainer scripts would have done.
finish() {
    local d=$1
    cp "$d/usr/share/base-passwd/passwd.master" "$d/etc/passwd"
    cp "$d/usr/share/base-passwd/group.master" "$d/etc/group"
    sed -i 's/:\*:/:x:/' "$d/etc/passwd"
    sed -i 's#^root:x:0:0:root:/root:.*#root:x:0:0:root:/root:/bin/bash#' "$d/etc/passwd"
    echo 'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' >> "$d/etc/passwd"
    echo 'pi:x:1000:1000:,,,:/home/pi:/bin/bash' >> "$d/etc/passwd"
    echo 'pi:x:1000:' >> "$d/etc/group"
    # '*' is 'no password, keys only'; '!' would lock the account for sshd too.
    cut -d: -f1 "$d/etc/passwd" | sed 's/$/:*:19000:0:99999:7:::/' > "$d/etc/shadow"
    chmod 640 "$d/etc/shadow"
    mkdir -p "$d/home/pi/.ssh" "$d/run/sshd" "$d/dev" "$d/proc" "$d/sys" "$d/tmp"
    chmod 1777 "$d/tmp"
    chmod 700 "$d/home/pi" "$d/home/pi/.ssh"
    if [ "$(id -u)" = 0 ]; then chown -R 1000:1000 "$d/home/pi"; fi
    echo raspberrypi > "$d/etc/hostname"
    printf '127.0.0.1 localhost raspberrypi\n' > "$d/etc/hosts"
    # The board reaches no other machine: what it needs must be brought to it.
    : > "$d/etc/resolv.conf"
    : > "$d/etc/machine-id"
    rm -f "$d"/etc/ssh/ssh_host_*
}

# .pyc files depend on the Python version and not on the CPU: made by a native Python of the same version
# they save seconds at every emulated start. Without one the board is only slower.
byte_compile() {
    local dir=$1 version
    version=$(basename "$(find "$dir/usr/lib" -maxdepth 1 -name 'python3.*' | head -n 1)")
    if command -v "$version" > /dev/null; then
        "$version" -m compileall -q -s "$dir" -p / "$dir/usr/lib/$version" > /dev/null || true
    fi
}

pack() {
    tar -C "$1" --numeric-owner -cf - . | zstd -q -T0 -6 -f -o "$2.tmp"
    mv "$2.tmp" "$2"
}

unpack() {
    mkdir -p "$2"
    zstd -dc "$1" | tar -C "$2" --numeric-owner -xpf -
}

binfmt() {
    local folder=/proc/sys/fs/binfmt_misc
    [ -e $folder/register ] || mount -t binfmt_misc binfmt_misc $folder
    if [ -e $folder/qemu-aarch64 ]; then return; fi
    # Debian ships the magic. F opens qemu now, so that a chroot needs no copy of it; C lets set-uid programs work.
    sed 's/:[A-Z]*$/:POCF/' /usr/lib/binfmt.d/qemu-aarch64.conf > $folder/register
}

case ${1:-} in
    build | pack | unpack | binfmt) "$@" ;;
    *)
        awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "$0"
        exit 2
        ;;
esac
