#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All tests, from a fresh Debian on: installs what is missing (saying so), then runs the steps
# below, each of which builds what it needs, and stops at the first that fails.
#   usage: run-all.sh [STEP...]       builds in .build/<step>, or in ${BUILD_DIR}/<step>
set -uo pipefail

all_steps=(gcc clang arch install asan tsan valgrind)

root=$(cd "$(dirname "$0")/.." && pwd)
builds=${BUILD_DIR:-$root/.build}
jobs=$(nproc)

tools() {
    . "$root/tests/need.sh"
    need 'command -v gcc && has_header gcc stdio.h' gcc libc6-dev
    need 'command -v g++' g++
    need 'command -v clang && command -v clang++' clang
    need 'command -v cmake && command -v ctest' cmake
    need 'command -v make' make
    need 'has_header gcc cmocka.h' libcmocka-dev
    need 'command -v pkg-config' pkg-config
    need 'command -v python3' python3
    need 'command -v valgrind' valgrind
    install_missing || return
    need 'has_sanitizers clang' libclang-rt-dev # some versions of clang bring them along
    install_missing
}
has_sanitizers() {
    echo 'int main(void) { return 0; }' | "$1" -fsanitize=address,undefined -x c -o /dev/null -
}

# build NAME COMPILER OPTION...: configures and builds; silent unless that fails.
build() {
    local dir=$builds/$1 cc=$2
    mkdir -p "$dir" || return
    {
        cmake -S "$root" -B "$dir" -G 'Unix Makefiles' -DCMAKE_C_COMPILER="$cc" \
            -DBUILD_TESTING=ON "${@:3}" \
            && cmake --build "$dir" --parallel "$jobs"
    } > "$dir/build.log" 2>&1 || { grep -vE '^\[ *[0-9]+%\]' "$dir/build.log"; return 1; }
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
    # Not what runs on one thread, and the failed allocations, which ASan sees.
    sanitized tsan gcc thread && fixed_addresses tsan 'unit|stress|example' \
        --exclude-regex '^(base|type|io)[.]|^api[.]nomem$'
}
step_valgrind() {
    local leaks=definite,indirect,possible
    SPARK_RUN_UNDER="valgrind -q --error-exitcode=99 --leak-check=full"
    SPARK_RUN_UNDER+=" --show-leak-kinds=$leaks --errors-for-leak-kinds=$leaks"
    export SPARK_RUN_UNDER
    release gcc && tests gcc example
}

# run STEP: in a subshell, so that a step's environment ends with it.
run() {
    local started=$SECONDS
    echo "== $1"
    if ! ("step_$1"); then
        echo "== FAILED: $1, after $((SECONDS - started)) s; its output stands above" >&2
        exit 1
    fi
    echo "== $1: good, $((SECONDS - started)) s"
}

for step in "$@"; do
    if [[ " ${all_steps[*]} " != *" $step "* ]]; then
        echo "no step $step; there are: ${all_steps[*]}" >&2
        exit 2
    fi
done
tools || { echo "== FAILED: tools are missing" >&2; exit 1; }
for step in "${@:-${all_steps[@]}}"; do
    run "$step"
done
echo "== all good, $SECONDS s: ${*:-${all_steps[*]}}"
