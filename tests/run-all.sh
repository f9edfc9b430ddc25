#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All tests, from a fresh Debian on: installs what is missing (saying so), then runs the steps
# below, each of which builds what it needs, and stops at the first that fails.
#   usage: run-all.sh [STEP...]       builds in .build/<step>, or in ${BUILD_DIR}/<step>
# One step more is run only where it is named, for it takes an hour: memcheck.
# What a step prints goes to .build/<step>.log, and is shown when the step fails.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # started as sh run-all.sh
set -uo pipefail

all_steps=(gcc clang arch install asan tsan valgrind)
more_steps=(memcheck)

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

# build NAME COMPILER OPTION...: configures, and builds everything, or the targets in $target.
build() {
    cmake -S "$root" -B "$builds/$1" -G 'Unix Makefiles' -DCMAKE_C_COMPILER="$2" \
        -DBUILD_TESTING=ON "${@:3}" \
        && cmake --build "$builds/$1" --parallel "$jobs" --target ${target:-all}
}

# tests NAME LABELS OPTION...: runs the tests with one of the labels, one more than there are CPUs at a time,
# for some of them wait for what they started; it is a failure that
# there is none.
tests() {
    cd "$builds/$1" && ctest --output-on-failure --no-tests=error --parallel $((jobs + 1)) \
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

# The library, examples and benchmarks as they are released, test programs with $optimize: half of the time goes into
# compiling them.
release() {
    build "$1" "${2:-$1}" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS="-g${flags:+ $flags}" -DSPARK_WERROR=ON \
        -DSPARK_TEST_OPTIMIZE="${optimize:--O2}"
}
sanitized() {
    build "$1" "$2" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG='-O1 -g' -DSPARK_SANITIZE="$3"
}

step_gcc() { release gcc && tests gcc 'unit|stress|example|bench-smoke'; }
# All is compiled; of what runs, not the long loops, which gcc's programs have gone through and ASan's go through,
# and fewer shapes (tests/support/slow.h).
step_clang() {
    local flags=-DTESTS_ARE_QUICK=1 optimize=-O1
    release clang && tests clang unit --label-exclude '^loops$'
}
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
    local target=thread_programs
    sanitized tsan gcc thread && fixed_addresses tsan 'threads|stress|example'
}
leaks=definite,indirect,possible
memcheck="valgrind -q --error-exitcode=99 --leak-check=full --fair-sched=yes"
memcheck+=" --show-leak-kinds=$leaks --errors-for-leak-kinds=$leaks"
step_valgrind() {
    export SPARK_RUN_UNDER=$memcheck
    release gcc && tests gcc example
}
# The unit tests whose errors would be ones of memory: what holds it, gives it up, writes it to disk, or loses it. As
# many shapes and seeds as a sanitizer gets.
step_memcheck() {
    local flags='-DTESTS_ARE_QUICK=1' target
    local -a programs=(base_heap base_arena base_limits base_faults storage_run storage_block storage_evict
        storage_parcel storage_spill storage_tape shuffle_table shuffle_writer shuffle_sort shuffle_ranges
        shuffle_smallest scheduler_lost_block scheduler_stage exec_pool api_storage api_memory api_executors
        api_recovery api_exclusion api_speculation api_locality api_checkpoint api_object_files api_bad_records
        api_bad_lines api_replay api_cancel api_csv api_json api_sql_groups api_sql_joins chaos_chaos)
    target=${programs[*]/#/test_}
    release memcheck gcc && under_memcheck "$builds/memcheck/tests" "${programs[@]}"
}
# under_memcheck DIRECTORY PROGRAM...: the test programs there; says which fail.
under_memcheck() {
    local program failed=0 began
    export CHAOS_SEED=${CHAOS_SEED:-1} CHAOS_RUNS=${CHAOS_RUNS:-30}
    for program in "${@:2}"; do
        began=$SECONDS
        if $memcheck "$1/test_$program" > "$1/$program.memcheck" 2>&1 < /dev/null; then
            echo "$program: clean, $((SECONDS - began)) s"
        else
            cat "$1/$program.memcheck"
            echo "$program: FAILED, $((SECONDS - began)) s"
            failed=1
        fi
    done
    return $failed
}

# summary LOG: ctest's closing lines.
summary() { grep -E '^[0-9]+% tests passed|^Total Test time|: (clean|FAILED), [0-9]+ s$' "$1"; }

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
    if [[ " ${all_steps[*]} ${more_steps[*]} " != *" $step "* ]]; then
        echo "no step $step; there are: ${all_steps[*]} ${more_steps[*]}" >&2
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
