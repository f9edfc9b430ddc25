#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian to counted words: installs what is missing, builds libspark and its word count,
# runs it.
#   usage: run-wordcount.sh [-n TOP] [-t THREADS] [-p PARTITIONS] [-o DIR] [FILE...]
# Without FILE: a text that is bundled. Builds in .build, or ${BUILD_DIR}; what the build prints goes to
# build.log there, and is shown when it fails.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # started as sh run-wordcount.sh
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD_DIR:-$root/.build}

. "$root/tests/need.sh"
need 'command -v gcc && has_header gcc stdio.h' gcc libc6-dev
need 'command -v cmake' cmake
need 'command -v make' make
install_missing

build_wordcount() {
    cmake -S "$root" -B "$build" -G 'Unix Makefiles' -DCMAKE_C_COMPILER=gcc \
        -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
        && cmake --build "$build" --target wordcount --parallel "$(nproc)"
}
[ -x "$build/examples/wordcount" ] \
    || echo "building libspark in $build, about a minute on two CPUs" >&2
quietly "$build/build.log" build_wordcount

exec "$build/examples/wordcount" "$@"
