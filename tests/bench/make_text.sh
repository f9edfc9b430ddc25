#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a real text to count words in: the C files, headers and documents (.c .h .rst .txt) of the
# Linux source that Debian packages, in bytewise order of their paths, as one file.
#   usage: make_text.sh DIR [BYTES]
# Leaves DIR/kernel.txt (about 1.2 GB) and, with BYTES, its beginning as DIR/kernel-BYTES.txt. What
# is there already is not made again. Needs a Debian, its package mirror, and 3 GB of disk.
set -euo pipefail
export LC_ALL=C

usage="usage: make_text.sh DIR [BYTES]"
target=${1:?$usage}
bytes=${2:-}
version=6.1
case $bytes in *[!0-9]*) echo "$usage" >&2; exit 1 ;; esac

# Writes to a name of its own first, so that an interrupted run leaves no half file behind.
keep() {
    cat > "$1.unfinished"
    mv "$1.unfinished" "$1"
}

fetch_source() {
    local package=linux-source-$version
    local get=(apt-get --quiet=2 -o APT::Sandbox::User=root)
    (cd "$1" && "${get[@]}" download "$package") || {
        "${get[@]}" update
        (cd "$1" && "${get[@]}" download "$package")
    }
    dpkg-deb --fsys-tarfile "$1/${package}"_*.deb | tar -x -C "$1" "./usr/src/$package.tar.xz"
    mkdir "$1/source"
    tar -x -C "$1/source" -f "$1/usr/src/$package.tar.xz"
}

join_texts() {
    cd "$1"
    find . -type f -regex '.*\.\(c\|h\|rst\|txt\)' -print0 | sort -z | xargs -0 cat
}

mkdir -p "$target"
if ! [ -s "$target/kernel.txt" ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    fetch_source "$scratch"
    (join_texts "$scratch/source") | keep "$target/kernel.txt"
fi
if [ -n "$bytes" ] && ! [ -s "$target/kernel-$bytes.txt" ]; then
    head -c "$bytes" "$target/kernel.txt" | keep "$target/kernel-$bytes.txt"
fi
ls -l "$target"
