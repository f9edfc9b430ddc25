#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs into a directory, moves it, and uses it from there: by find_package, by pkg-config, and,
# from the sources, by add_subdirectory. The versions that header, archive, package and .pc tell
# must be one.
#   usage: install.sh BUILD_DIR SOURCE_DIR VERSION CC [LIBDIR]
# CMAKE, PKG_CONFIG: these programs, where they are not to be searched for.
set -euo pipefail

build=$1 source=$2 version=$3 cc=$4 libdir=${5:-lib}
cmake=${CMAKE:-cmake} pkg_config=${PKG_CONFIG:-pkg-config}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "install: $*" >&2; exit 1; }
expect() { [ "$2" = "$3" ] || fail "$1: '$2' wanted, '$3' found"; }
quietly() { "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; fail "failed: $*"; }; }
configure() {
    quietly "$cmake" -S "$here/consumer" -B "$@" -DCMAKE_C_COMPILER="$cc" -DCMAKE_BUILD_TYPE=Release
}

echo "install, then move"
quietly "$cmake" --install "$build" --prefix "$work/first"
mkdir "$work/moved"
mv "$work/first" "$work/moved/tree"
tree=$work/moved/tree
expect "what is installed" "include ${libdir%%/*} share" "$(cd "$tree" && echo *)"
[ -f "$tree/include/spark/version.h" ] || fail "no version.h"
[ -f "$tree/$libdir/libspark.a" ] || fail "no $libdir/libspark.a"
if grep -rlIF -e "$work/first" -e "$source" -e "$build" "$tree"; then
    fail "absolute paths in these files"
fi

echo "find_package"
configure "$work/cmake" -DCMAKE_PREFIX_PATH="$tree"
expect "version of the package" "$version" \
    "$(sed -n 's/^-- version of the package: //p' "$work/log")"
quietly "$cmake" --build "$work/cmake"
expect "versions of header and archive" "$version $version" "$("$work/cmake/consumer")"
"$work/cmake/consumer_cxx" || fail "the C++ consumer fails"
if "$cmake" --build "$work/cmake" --target mistake > "$work/log" 2>&1; then
    fail "mistake.c compiles"
fi
grep -q 'incompatible-pointer-types' "$work/log" \
    || { cat "$work/log" >&2; fail "mistake.c is refused for another reason"; }

echo "find_package, versions that do not fit"
for other in 0.0 0.99 1.0; do
    if "$cmake" -S "$here/consumer" -B "$work/other" -DCMAKE_PREFIX_PATH="$tree" \
        -DWANTED_VERSION=$other > "$work/log" 2>&1; then
        fail "version $other is found"
    fi
done
configure "$work/same" -DCMAKE_PREFIX_PATH="$tree" -DWANTED_VERSION="$version"

echo "find_package, where nothing optimises"
quietly "$cmake" -S "$here/consumer" -B "$work/plain" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_PREFIX_PATH="$tree" -DCMAKE_BUILD_TYPE=
grep -q 'DCMAKE_BUILD_TYPE=Release' "$work/log" || fail "no word of a build that optimises nothing"
configure "$work/fine" -DCMAKE_PREFIX_PATH="$tree"
if grep -q 'DCMAKE_BUILD_TYPE=Release' "$work/log"; then fail "a Release build is complained about"; fi

echo "pkg-config"
export PKG_CONFIG_PATH=$tree/$libdir/pkgconfig
expect "version of libspark.pc" "$version" "$("$pkg_config" --modversion libspark)"
read -ra flags <<< "$("$pkg_config" --cflags --libs libspark)"
quietly "$cc" -O2 -o "$work/consumer" "$here/consumer/consumer.c" "${flags[@]}"
expect "versions of header and archive" "$version $version" "$("$work/consumer")"

echo "add_subdirectory"
configure "$work/sub" -DLIBSPARK_SOURCE="$source"

echo "installed, moved and used: $version"
