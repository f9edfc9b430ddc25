/* SPDX-License-Identifier: Apache-2.0 */
/* C++17: counts the words of the bundled text by their lengths, with the library's headers as they
 * are. Functions may use what C++ has and may throw: an exception fails the attempt of the task as
 * spark_fail does. Elements and environments are plain structs, which are copied as bytes. */
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <spark.h>
#include <stdexcept>
#include <string>

SPARK_PAIR(length_count, int, long);
SPARK_ORDER(shortest, length_count, (asc, key));

struct limits {
    int longest;
    bool letters;
};

SPARK_FLAT_MAP(lengths, spark_str, length_count, limits)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word)) {
        const std::string text(word.ptr, word.len);
        const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
        const auto n = env->letters ? std::count_if(text.begin(), text.end(), is_letter)
                                    : static_cast<std::ptrdiff_t>(text.size());
        if (n > env->longest)
            throw std::length_error("\"" + text + "\" is too long");
        if (n > 0)
            spark_emit(out, { static_cast<int>(n), 1 });
    }
}

int main()
{
    spark_context *sc = spark_context_new(nullptr);
    spark_rdd *lines = spark_text_file(sc, SPARK_EXAMPLES_DATA "/genesis.txt", 0);

    const auto count = [lines](int longest) {
        spark_rdd *ones = spark_flat_map(lines, lengths, SPARK_COPY(limits { longest, true }));
        return spark_sort_by(
            spark_reduce_by_key(ones, spark_op_sum, nullptr, 0), shortest, 1);
    };
    spark_status status = spark_show(count(50), 30);

    /* What a function throws comes back as the error of the action, and the context goes on. */
    if (status == SPARK_OK && spark_show(count(5), 30) == SPARK_ETASK)
        std::printf("%s\n",
            std::strstr(spark_last_error()->message, "too long") ? "a word was too long" : "?");
    const int failed = status == SPARK_OK ? 0 : spark_complain("words");
    spark_context_free(sc);
    return failed;
}
