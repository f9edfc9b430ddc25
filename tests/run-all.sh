#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All tests, from a fresh Debian on: installs what is missing (saying so), then runs the steps
# below, each of which builds what it needs, and stops at the first that fails.
#   usage: run-all.sh [STEP...]       builds in .build/<step>, or in ${BUILD_DIR}/<step>
# What a step prints goes to .build/<step>.log, and is shown when the step fails.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # started as sh run-all.sh
set -uo pipefail

all_steps=(gcc clang arch install asan tsan valgrind)

root=$(cd "$(dirname "$0")/.." && pwd)
builds=${BUILD_DIR:-$root/.build}
jobs=$(nproc)

tools() {
    need 'command -v gcc && has_header gcc stdio.h' gcc libc6-dev
    need 'command -v g++' g++
    # The sanitizers' libraries come with some versions of clang, with others they do not.
    need 'command -v clang && command -v clang++ && has_sanitizers clang' clang '?libclang-rt-dev'
    need 'command -v cmake && command -v ctest' cmake
    need 'command -v make' make
    need 'has_header gcc cmocka.h' libcmocka-dev
    need 'command -v pkg-config' pkg-config
    need 'command -v python3' python3
    need 'command -v valgrind' valgrind
    # What compressed and remote files are read and written with.
    need 'command -v curl' curl
    need 'command -v bzip2' bzip2
    need 'command -v xz' xz-utils
    need 'command -v zstd' zstd
    need 'command -v lz4' lz4
    install_missing
}
has_sanitizers() {
    echo 'int main(void) { return 0; }' | "$1" -fsanitize=address,undefined -x c -o /dev/null -
}

# build NAME COMPILER OPTION...: configures and builds.
build() {
    cmake -S "$root" -B "$builds/$1" -G 'Unix Makefiles' -DCMAKE_C_COMPILER="$2" \
        -DBUILD_TESTING=ON "${@:3}" \
        && cmake --build "$builds/$1" --parallel "$jobs"
}

# tests NAME LABELS OPTION...: runs the tests with one of the labels; it is a failure that there is
# none.
tests() {
    cd "$builds/$1" && ctest --output-on-failure --no-tests=error --parallel "$jobs" \
        --label-regex "^($2)\$" "${@:3}"
}

# Without address space randomisation, which the sanitizers of older compilers do not stand under
# newer kernels.
fixed_addresses() {
    if setarch -R true 2> /dev/null; then
        setarch -R "$BASH" -c "$(declare -f tests); tests \"\$@\"" tests "$@"
    else
        tests "$@"
    fi
}
export builds jobs

release() { build "$1" "$1" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS=-g -DSPARK_WERROR=ON; }
sanitized() {
    build "$1" "$2" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG='-O1 -g' -DSPARK_SANITIZE="$3"
}

step_gcc() { release gcc && tests gcc 'unit|stress|example|bench-smoke'; }
step_clang() { release clang && tests clang 'unit|stress|example|bench-smoke'; }
step_arch() { release gcc && tests gcc arch; }
step_install() { release gcc && tests gcc install; }
step_asan() {
    # No stack of the sanitizer's own: check mode tells pointers into the real one.
    export ASAN_OPTIONS=detect_stack_use_after_return=0:strict_string_checks=1
    ASAN_OPTIONS+=:allocator_may_return_null=1
    export UBSAN_OPTIONS=print_stacktrace=1
    sanitized asan clang 'address;undefined' \
        && fixed_addresses asan 'unit|stress|example|bench-smoke'
}
step_tsan() {
    export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
    # Not what runs on one thread, and the calls that fail, which ASan sees.
    sanitized tsan gcc thread && fixed_addresses tsan 'unit|stress|example' \
        --exclude-regex '^(base|type|io|sql)[.]|^api[.](nomem|file_failures)$|^remote[.]real_'
}
step_valgrind() {
    local leaks=definite,indirect,possible
    SPARK_RUN_UNDER="valgrind -q --error-exitcode=99 --leak-check=full"
    SPARK_RUN_UNDER+=" --show-leak-kinds=$leaks --errors-for-leak-kinds=$leaks"
    export SPARK_RUN_UNDER
    release gcc && tests gcc example
}

# summary LOG: ctest's closing lines.
summary() { grep -E '^[0-9]+% tests passed|^Total Test time' "$1"; }

# run NUMBER STEP: in a subshell, so that a step's environment ends with it.
run() {
    local started=$SECONDS log=$builds/$2.log
    echo "== $1 of $steps: $2"
    if ! (quietly "$log" "step_$2"); then
        echo "== FAILED: $2, after $((SECONDS - started)) s" >&2
        exit 1
    fi
    summary "$log"
    echo "== $2: good, $((SECONDS - started)) s"
}

for step in "$@"; do
    if [[ " ${all_steps[*]} " != *" $step "* ]]; then
        echo "no step $step; there are: ${all_steps[*]}" >&2
        exit 2
    fi
done
. "$root/tests/need.sh"
tools || { echo "== FAILED: tools are missing" >&2; exit 1; }
[ $# -gt 0 ] || set -- "${all_steps[@]}"
steps=$# number=0
echo "== $steps steps on $jobs CPUs: $*"
for step in "$@"; do
    run $((number += 1)) "$step"
done
echo "== all good, $SECONDS s: $*"
