/* SPDX-License-Identifier: Apache-2.0 */
/* Types: what an element is.
 *
 * An element is a plain C value of fixed size. A const description of its type is all the library
 * needs to hash, compare, copy, store and print it. One macro defines a struct and describes it:
 *
 *   SPARK_STRUCT(order, (int64_t, id), (double, amount), (char, code, 3));
 *   SPARK_PAIR(word_count, spark_str, int64_t);          struct { spark_str key; int64_t value; }
 *
 * Built in are the numbers of C (bool, char, int, unsigned long long, size_t, int64_t, ..., float,
 * double), spark_str, spark_bytes, spark_date and spark_time. What counts is the size: int is
 * int32_t, long and long long are int64_t. Any other type's name must be one identifier, also that
 * of a state or an env. A typedef of your own has no description until SPARK_NUMBER(user_id) gives
 * it one, and pointers have none (SPARK_HANDLE).
 *
 * Limits: 24 members in a struct, 120 levels of types in each other (also of those that joins and
 * groups make of yours), 4 GiB for an element in place.
 *
 * Equality, hash and order follow the description field by field, never the padding: -0.0 equals
 * 0.0, all NaN are equal and sort last, false sorts before true, strings compare as unsigned
 * bytes, lists and structs member by member, an absent optional first. */
#ifndef SPARK_TYPE_H
#define SPARK_TYPE_H

#include <spark/error.h>

SPARK_BEGIN_DECLS

typedef enum spark_kind {
    SPARK_KIND_BOOL = 1,
    SPARK_KIND_CHAR,
    SPARK_KIND_I8,
    SPARK_KIND_I16,
    SPARK_KIND_I32,
    SPARK_KIND_I64,
    SPARK_KIND_U8,
    SPARK_KIND_U16,
    SPARK_KIND_U32,
    SPARK_KIND_U64,
    SPARK_KIND_F32,
    SPARK_KIND_F64,
    SPARK_KIND_DECIMAL,  /* int64_t units of 10^-scale */
    SPARK_KIND_DATE,     /* int32_t days since 1970-01-01 */
    SPARK_KIND_TIME,     /* int64_t microseconds since 1970-01-01 00:00 UTC */
    SPARK_KIND_STR,      /* spark_str */
    SPARK_KIND_BYTES,    /* spark_bytes */
    SPARK_KIND_LIST,     /* { const E *at; size_t n; } */
    SPARK_KIND_OPTIONAL, /* { bool present; E value; } */
    SPARK_KIND_PAIR,     /* { K key; V value; } */
    SPARK_KIND_STRUCT,
    SPARK_KIND_BLOB /* bytes, compared byte for byte */
} spark_kind;

typedef struct spark_type spark_type;

/* spark_field: a member. `count` 0: one value; n: a fixed array of n values in place. */
typedef struct spark_field {
    const char *name;
    const spark_type *type;
    size_t offset;
    size_t count;
} spark_field;

/* spark_type_ops: overrides of what the description implies; any may be NULL. They must agree with
 * each other (equal values hash equally and compare as 0) and must not keep state. hash may differ
 * in any bits, as an id does: it is mixed before use. Unequal values with one hash are compared one
 * after the other, and no guard helps where somebody can choose them: whoever hashes a type himself
 * answers for that. */
typedef struct spark_type_ops {
    uint64_t (*hash)(const void *value);
    bool (*equal)(const void *a, const void *b);
    int (*compare)(const void *a, const void *b);
    /* print: writes at most `size` bytes, returns how many it would need (as snprintf). */
    size_t (*print)(const void *value, char *buffer, size_t size);
} spark_type_ops;

/* spark_type: the description. Types made by operations have no name and equal any type of the same
 * shape; pairs, lists, optionals and arrays compare by shape; two structs that both have names must
 * agree in name and in field names. */
struct spark_type {
    const char *name;
    spark_kind kind;
    uint32_t size, align;
    uint32_t count;           /* members of a struct or pair */
    int16_t precision, scale; /* of a decimal */
    const spark_field *fields;
    const spark_type *of; /* of a list or optional */
    const spark_type_ops *ops;
};

/* SPARK_TYPE: the description of a C type that libspark knows: SPARK_TYPE(int64_t). */
#define SPARK_TYPE(T) SPARK_SELECT_(SPARK_WORDS_##T, SPARK_NUMBER_TYPE_, SPARK_NAMED_TYPE_, ~)(T)
#define SPARK_NAMED_TYPE_(T) (&spark_type_of_##T)

/* SPARK_WORDS_: words that begin the name of a number, which may have several and are told apart by
 * the compiler; all other names are pasted. */
#define SPARK_SELECT_(...) SPARK_SELECT_X_(__VA_ARGS__)
#define SPARK_SELECT_X_(a, b, c, ...) c
#define SPARK_WORDS_bool ~,
#define SPARK_WORDS__Bool ~,
#define SPARK_WORDS_char ~,
#define SPARK_WORDS_signed ~,
#define SPARK_WORDS_unsigned ~,
#define SPARK_WORDS_short ~,
#define SPARK_WORDS_int ~,
#define SPARK_WORDS_long ~,
#define SPARK_WORDS_float ~,
#define SPARK_WORDS_double ~,
#define SPARK_WORDS_const ~,
#define SPARK_WORDS_void ~,
#define SPARK_WORDS_enum ~,
#define SPARK_WORDS_size_t ~,
#define SPARK_WORDS_ssize_t ~,
#define SPARK_WORDS_ptrdiff_t ~,
#define SPARK_WORDS_intptr_t ~,
#define SPARK_WORDS_uintptr_t ~,
#define SPARK_WORDS_intmax_t ~,
#define SPARK_WORDS_uintmax_t ~,
#define SPARK_WORDS_time_t ~,

/* spark_type_check: does memory described by `have` read as `want`? Compares kinds, sizes and
 * offsets all the way down, and names as said above. SPARK_OK, or SPARK_ETYPE and an error that
 * names the first difference by its path: "value.amount: f64 at offset 16 wanted, i64 at offset 16
 * found". Every verb calls it on the types its functions name. */
spark_status spark_type_check(const spark_type *want, const spark_type *have);

/* spark_type_pair, _optional, _list: types made at run time, laid out as the C compiler lays out
 * the struct with the same members. Owned by the context; the same arguments give the same pointer.
 * NULL when there is no memory or an argument is NULL. */
const spark_type *spark_type_pair(
    spark_context *sc, const spark_type *key, const spark_type *value);
const spark_type *spark_type_optional(spark_context *sc, const spark_type *of);
const spark_type *spark_type_list(spark_context *sc, const spark_type *of);

/* spark_hash, spark_equal, spark_compare: of two values of one type, as the engine does it. compare
 * gives < 0, 0 or > 0. */
uint64_t spark_hash(const spark_type *type, const void *value);
bool spark_equal(const spark_type *type, const void *a, const void *b);
int spark_compare(const spark_type *type, const void *a, const void *b);

/* spark_print: the text form, as save_as_text_file writes it: strings raw, pair and struct (a,b),
 * list and fixed array [a,b] (an array of char: its bytes up to the first NUL), absent optional
 * empty, numbers independent of the locale, doubles in the shortest form that reads back. Writes at
 * most `size` bytes and no NUL; returns the length of the whole text. */
size_t spark_print(const spark_type *type, const void *value, char *buffer, size_t size);

typedef struct spark_emitter spark_emitter;
typedef struct spark_iterator spark_iterator;

/* SPARK_OUT(T), SPARK_IN(T): the typed ends of a stream of T: what spark_emit and spark_next take.
 */
#define SPARK_PORTS_AS_(name, T)                                                                   \
    typedef struct spark_out_of_##name {                                                           \
        spark_emitter *raw;                                                                        \
        T *item;                                                                                   \
        SPARK_CXX_(typedef T item_type;)                                                           \
    } spark_out_of_##name;                                                                         \
    typedef struct spark_in_of_##name {                                                            \
        spark_iterator *raw;                                                                       \
        const T *item;                                                                             \
    } spark_in_of_##name
#define SPARK_PORTS_(T) SPARK_PORTS_AS_(T, T)
#define SPARK_OUT(T) SPARK_SELECT_(SPARK_WORDS_##T, SPARK_NUMBER_OUT_, SPARK_NAMED_OUT_, ~)(T)
#define SPARK_IN(T) SPARK_SELECT_(SPARK_WORDS_##T, SPARK_NUMBER_IN_, SPARK_NAMED_IN_, ~)(T)
#define SPARK_NAMED_OUT_(T) spark_out_of_##T
#define SPARK_NAMED_IN_(T) spark_in_of_##T

/* spark_str: a view of bytes, by convention UTF-8. Not NUL-terminated: never pass .ptr to strtol,
 * strtod, sscanf or atoi; spark/str.h has what replaces them. */
typedef struct spark_str {
    const char *ptr;
    size_t len;
} spark_str;

typedef struct spark_bytes {
    const void *ptr;
    size_t len;
} spark_bytes;

/* spark_date, spark_time: calendar types; a day count and microseconds, both since 1970 in UTC. */
typedef struct spark_date {
    int32_t days;
} spark_date;

typedef struct spark_time {
    int64_t micros;
} spark_time;

#define SPARK_BUILT_IN_(T)                                                                         \
    extern const spark_type spark_type_of_##T;                                                     \
    SPARK_PORTS_(T)
SPARK_BUILT_IN_(int8_t);
SPARK_BUILT_IN_(int16_t);
SPARK_BUILT_IN_(int32_t);
SPARK_BUILT_IN_(int64_t);
SPARK_BUILT_IN_(uint8_t);
SPARK_BUILT_IN_(uint16_t);
SPARK_BUILT_IN_(uint32_t);
SPARK_BUILT_IN_(uint64_t);
SPARK_BUILT_IN_(spark_str);
SPARK_BUILT_IN_(spark_bytes);
SPARK_BUILT_IN_(spark_date);
SPARK_BUILT_IN_(spark_time);
extern const spark_type spark_type_of_bool, spark_type_of_char, spark_type_of_float,
    spark_type_of_double;

/* The numbers of C by their own names: M(which of the built-in ones, whose ports). */
SPARK_ASSERT_(sizeof(int) == 4 && sizeof(long) == 8 && sizeof(long long) == 8, "libspark is LP64");
SPARK_PORTS_AS_(bool, bool);
SPARK_PORTS_AS_(char, char);
SPARK_PORTS_AS_(float, float);
SPARK_PORTS_AS_(double, double);
SPARK_PORTS_AS_(c_schar_, signed char);
SPARK_PORTS_AS_(c_uchar_, unsigned char);
SPARK_PORTS_AS_(c_short_, short);
SPARK_PORTS_AS_(c_ushort_, unsigned short);
SPARK_PORTS_AS_(c_int_, int);
SPARK_PORTS_AS_(c_uint_, unsigned int);
SPARK_PORTS_AS_(c_long_, long);
SPARK_PORTS_AS_(c_ulong_, unsigned long);
SPARK_PORTS_AS_(c_llong_, long long);
SPARK_PORTS_AS_(c_ullong_, unsigned long long);
#define SPARK_UNKNOWN_                                                                             \
    "no type of elements: strings are spark_str, structs need SPARK_STRUCT, pointers SPARK_HANDLE"
#ifdef __cplusplus
SPARK_END_DECLS
#include <initializer_list>
template <class T> struct spark_number_ {
    static constexpr spark_kind kind = SPARK_KIND_STRUCT;
    typedef spark_out_of_char out;
    typedef spark_in_of_char in;
    static constexpr const spark_type *type()
    {
        static_assert(sizeof(T) == 0, SPARK_UNKNOWN_);
        return nullptr;
    }
};
#define SPARK_NUMBER_CXX_(T, named, port, k)                                                       \
    template <> struct spark_number_<T> {                                                          \
        static constexpr spark_kind kind = k;                                                      \
        typedef spark_out_of_##port out;                                                           \
        typedef spark_in_of_##port in;                                                             \
        static constexpr const spark_type *type()                                                  \
        {                                                                                          \
            return &spark_type_of_##named;                                                         \
        }                                                                                          \
    }
SPARK_NUMBER_CXX_(bool, bool, bool, SPARK_KIND_BOOL);
SPARK_NUMBER_CXX_(char, char, char, SPARK_KIND_CHAR);
SPARK_NUMBER_CXX_(signed char, int8_t, c_schar_, SPARK_KIND_I8);
SPARK_NUMBER_CXX_(unsigned char, uint8_t, c_uchar_, SPARK_KIND_U8);
SPARK_NUMBER_CXX_(short, int16_t, c_short_, SPARK_KIND_I16);
SPARK_NUMBER_CXX_(unsigned short, uint16_t, c_ushort_, SPARK_KIND_U16);
SPARK_NUMBER_CXX_(int, int32_t, c_int_, SPARK_KIND_I32);
SPARK_NUMBER_CXX_(unsigned int, uint32_t, c_uint_, SPARK_KIND_U32);
SPARK_NUMBER_CXX_(long, int64_t, c_long_, SPARK_KIND_I64);
SPARK_NUMBER_CXX_(unsigned long, uint64_t, c_ulong_, SPARK_KIND_U64);
SPARK_NUMBER_CXX_(long long, int64_t, c_llong_, SPARK_KIND_I64);
SPARK_NUMBER_CXX_(unsigned long long, uint64_t, c_ullong_, SPARK_KIND_U64);
SPARK_NUMBER_CXX_(float, float, float, SPARK_KIND_F32);
SPARK_NUMBER_CXX_(double, double, double, SPARK_KIND_F64);
template <class T> constexpr spark_kind spark_kind_of_()
{
    if constexpr (__is_enum(T))
        return spark_number_<__underlying_type(T)>::kind;
    else
        return spark_number_<T>::kind;
}
template <class T> struct spark_plain_ {
    typedef T type;
};
template <class T> struct spark_plain_<const T> {
    typedef T type;
};
#define SPARK_NUMBER_TYPE_(T) (spark_number_<T>::type())
#define SPARK_NUMBER_OUT_(T) spark_number_<T>::out
#define SPARK_NUMBER_IN_(T) spark_number_<T>::in
#define SPARK_KIND_OF_(T) (spark_kind_of_<spark_plain_<T>::type>())
SPARK_BEGIN_DECLS
#else
#define SPARK_PER_NUMBER_(x, M, other)                                                             \
    _Generic((x),                                                                                  \
        bool: M(bool, bool, SPARK_KIND_BOOL),                                                      \
        char: M(char, char, SPARK_KIND_CHAR),                                                      \
        signed char: M(int8_t, c_schar_, SPARK_KIND_I8),                                           \
        unsigned char: M(uint8_t, c_uchar_, SPARK_KIND_U8),                                        \
        short: M(int16_t, c_short_, SPARK_KIND_I16),                                               \
        unsigned short: M(uint16_t, c_ushort_, SPARK_KIND_U16),                                    \
        int: M(int32_t, c_int_, SPARK_KIND_I32),                                                   \
        unsigned int: M(uint32_t, c_uint_, SPARK_KIND_U32),                                        \
        long: M(int64_t, c_long_, SPARK_KIND_I64),                                                 \
        unsigned long: M(uint64_t, c_ulong_, SPARK_KIND_U64),                                      \
        long long: M(int64_t, c_llong_, SPARK_KIND_I64),                                           \
        unsigned long long: M(uint64_t, c_ullong_, SPARK_KIND_U64),                                \
        float: M(float, float, SPARK_KIND_F32),                                                    \
        double: M(double, double, SPARK_KIND_F64),                                                 \
        default: other)
#define SPARK_NUMBER_TYPE_X_(named, port, kind) &spark_type_of_##named
#define SPARK_NUMBER_OUT_X_(named, port, kind) (spark_out_of_##port *)0
#define SPARK_NUMBER_IN_X_(named, port, kind) (spark_in_of_##port *)0
#define SPARK_NUMBER_KIND_X_(named, port, kind) kind
#define SPARK_NUMBER_TYPE_(T)                                                                      \
    (SPARK_PER_NUMBER_(*(T *)0, SPARK_NUMBER_TYPE_X_, &spark_type_of_char)                         \
        + SPARK_CHECKED_(SPARK_KIND_OF_(T) != SPARK_KIND_STRUCT, #T ": " SPARK_UNKNOWN_))
#define SPARK_NUMBER_OUT_(T)                                                                       \
    __typeof__(*SPARK_PER_NUMBER_(*(T *)0, SPARK_NUMBER_OUT_X_, (spark_out_of_char *)0))
#define SPARK_NUMBER_IN_(T)                                                                        \
    __typeof__(*SPARK_PER_NUMBER_(*(T *)0, SPARK_NUMBER_IN_X_, (spark_in_of_char *)0))
#define SPARK_KIND_OF_(T) SPARK_PER_NUMBER_(*(T *)0, SPARK_NUMBER_KIND_X_, SPARK_KIND_STRUCT)
#endif

/* Lists of (C type, member) or (C type, member, array length), up to 24 members. */
#define SPARK_PICK_24_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, \
    a18, a19, a20, a21, a22, a23, a24, x, ...)                                                     \
    x
#define SPARK_E1_(M, T, f) M(T, f)
#define SPARK_E2_(M, T, f, ...) M(T, f) SPARK_E1_(M, T, __VA_ARGS__)
#define SPARK_E3_(M, T, f, ...) M(T, f) SPARK_E2_(M, T, __VA_ARGS__)
#define SPARK_E4_(M, T, f, ...) M(T, f) SPARK_E3_(M, T, __VA_ARGS__)
#define SPARK_E5_(M, T, f, ...) M(T, f) SPARK_E4_(M, T, __VA_ARGS__)
#define SPARK_E6_(M, T, f, ...) M(T, f) SPARK_E5_(M, T, __VA_ARGS__)
#define SPARK_E7_(M, T, f, ...) M(T, f) SPARK_E6_(M, T, __VA_ARGS__)
#define SPARK_E8_(M, T, f, ...) M(T, f) SPARK_E7_(M, T, __VA_ARGS__)
#define SPARK_E9_(M, T, f, ...) M(T, f) SPARK_E8_(M, T, __VA_ARGS__)
#define SPARK_E10_(M, T, f, ...) M(T, f) SPARK_E9_(M, T, __VA_ARGS__)
#define SPARK_E11_(M, T, f, ...) M(T, f) SPARK_E10_(M, T, __VA_ARGS__)
#define SPARK_E12_(M, T, f, ...) M(T, f) SPARK_E11_(M, T, __VA_ARGS__)
#define SPARK_E13_(M, T, f, ...) M(T, f) SPARK_E12_(M, T, __VA_ARGS__)
#define SPARK_E14_(M, T, f, ...) M(T, f) SPARK_E13_(M, T, __VA_ARGS__)
#define SPARK_E15_(M, T, f, ...) M(T, f) SPARK_E14_(M, T, __VA_ARGS__)
#define SPARK_E16_(M, T, f, ...) M(T, f) SPARK_E15_(M, T, __VA_ARGS__)
#define SPARK_E17_(M, T, f, ...) M(T, f) SPARK_E16_(M, T, __VA_ARGS__)
#define SPARK_E18_(M, T, f, ...) M(T, f) SPARK_E17_(M, T, __VA_ARGS__)
#define SPARK_E19_(M, T, f, ...) M(T, f) SPARK_E18_(M, T, __VA_ARGS__)
#define SPARK_E20_(M, T, f, ...) M(T, f) SPARK_E19_(M, T, __VA_ARGS__)
#define SPARK_E21_(M, T, f, ...) M(T, f) SPARK_E20_(M, T, __VA_ARGS__)
#define SPARK_E22_(M, T, f, ...) M(T, f) SPARK_E21_(M, T, __VA_ARGS__)
#define SPARK_E23_(M, T, f, ...) M(T, f) SPARK_E22_(M, T, __VA_ARGS__)
#define SPARK_E24_(M, T, f, ...) M(T, f) SPARK_E23_(M, T, __VA_ARGS__)
#define SPARK_EACH_FIELD_(M, T, ...)                                                               \
    SPARK_PICK_24_(__VA_ARGS__, SPARK_E24_, SPARK_E23_, SPARK_E22_, SPARK_E21_, SPARK_E20_,        \
        SPARK_E19_, SPARK_E18_, SPARK_E17_, SPARK_E16_, SPARK_E15_, SPARK_E14_, SPARK_E13_,        \
        SPARK_E12_, SPARK_E11_, SPARK_E10_, SPARK_E9_, SPARK_E8_, SPARK_E7_, SPARK_E6_, SPARK_E5_, \
        SPARK_E4_, SPARK_E3_, SPARK_E2_, SPARK_E1_, 0)                                             \
    (M, T, __VA_ARGS__)

#define SPARK_BY_ARITY_(two, three, ...) SPARK_PICK_3_(__VA_ARGS__, three, two, 0)
#define SPARK_MEMBER2_(F, member) F member;
#define SPARK_MEMBER3_(F, member, n) F member[n];
#define SPARK_MEMBER_X_(...)                                                                       \
    SPARK_BY_ARITY_(SPARK_MEMBER2_, SPARK_MEMBER3_, __VA_ARGS__)(__VA_ARGS__)
#define SPARK_MEMBER_(T, f) SPARK_MEMBER_X_ f
#define SPARK_ENTRY2_(T, F, member) { #member, SPARK_TYPE(F), offsetof(T, member), 0 },
#define SPARK_ENTRY3_(T, F, member, n) { #member, SPARK_TYPE(F), offsetof(T, member), n },
#define SPARK_ENTRY_Y_(T, ...)                                                                     \
    SPARK_BY_ARITY_(SPARK_ENTRY2_, SPARK_ENTRY3_, __VA_ARGS__)(T, __VA_ARGS__)
#define SPARK_ENTRY_(T, f) SPARK_ENTRY_Y_(T, SPARK_STRIP_ f)
#define SPARK_LINE_UP2_(T, F, member)                                                              \
    SPARK_ASSERT_(offsetof(T, member) == offsetof(struct T##_described, member)                    \
            && SPARK_SAME_(T, member, F),                                                          \
        #T "." #member " is described with another type or place than it has");
#define SPARK_LINE_UP3_(T, F, member, n)                                                           \
    SPARK_ASSERT_(offsetof(T, member) == offsetof(struct T##_described, member)                    \
            && sizeof(((T *)0)->member) == n * sizeof(F) && SPARK_SAME_(T, member[0], F),          \
        #T "." #member " is described with another type or length than it has");
#define SPARK_LINE_UP_Y_(T, ...)                                                                   \
    SPARK_BY_ARITY_(SPARK_LINE_UP2_, SPARK_LINE_UP3_, __VA_ARGS__)(T, __VA_ARGS__)
#define SPARK_LINE_UP_(T, f) SPARK_LINE_UP_Y_(T, SPARK_STRIP_ f)

#define SPARK_TYPE_OBJECT_(T, kind, count, fields, of, ops)                                        \
    static const spark_type spark_type_of_##T SPARK_UNUSED_ = { #T, kind, (uint32_t)sizeof(T),     \
        (uint32_t)SPARK_ALIGNOF_(T), (uint32_t)(count), 0, 0, fields, of, ops };                   \
    SPARK_PORTS_(T)
#define SPARK_FIELDS_(T, kind, ops, ...)                                                           \
    static const spark_field spark_fields_of_##T[]                                                 \
        = { SPARK_EACH_FIELD_(SPARK_ENTRY_, T, __VA_ARGS__) };                                     \
    SPARK_TYPE_OBJECT_(T, kind, sizeof spark_fields_of_##T / sizeof spark_fields_of_##T[0],        \
        spark_fields_of_##T, NULL, ops)

/* SPARK_STRUCT: defines struct T with these members, and describes it:
 *   SPARK_STRUCT(point, (int64_t, id), (double, x, 8), (spark_str, label)); */
#define SPARK_STRUCT(T, ...)                                                                       \
    typedef struct T {                                                                             \
        SPARK_EACH_FIELD_(SPARK_MEMBER_, T, __VA_ARGS__)                                           \
    } T;                                                                                           \
    SPARK_FIELDS_(T, SPARK_KIND_STRUCT, NULL, __VA_ARGS__)

/* SPARK_DESCRIBE: describes a struct that exists already (another library's). Does not compile when
 * a member is missing from the list, or stands there with another type, order or length. The one
 * thing it cannot see is a forgotten last member that fits into the tail padding. */
#define SPARK_DESCRIBE(T, ...) SPARK_DESCRIBE_WITH(T, NULL, __VA_ARGS__)

/* SPARK_DESCRIBE_WITH: the same with overrides: SPARK_DESCRIBE_WITH(person, &by_id, (int64_t,
 * id)). */
#define SPARK_DESCRIBE_WITH(T, ops, ...)                                                           \
    struct T##_described {                                                                         \
        SPARK_EACH_FIELD_(SPARK_MEMBER_, T, __VA_ARGS__)                                           \
    };                                                                                             \
    SPARK_ASSERT_(                                                                                 \
        sizeof(T) == sizeof(struct T##_described), #T ": a member is missing in the description"); \
    SPARK_EACH_FIELD_(SPARK_LINE_UP_, T, __VA_ARGS__)                                              \
    SPARK_FIELDS_(T, SPARK_KIND_STRUCT, ops, __VA_ARGS__)

/* SPARK_PAIR: struct { K key; V value; }: what keyed operations take and make. */
#define SPARK_PAIR(T, K, V)                                                                        \
    typedef struct T {                                                                             \
        K key;                                                                                     \
        V value;                                                                                   \
    } T;                                                                                           \
    SPARK_FIELDS_(T, SPARK_KIND_PAIR, NULL, (K, key), (V, value))

/* SPARK_LIST: struct { const E *at; size_t n; }: typed, so in->value.at[i].amount needs no cast. */
#define SPARK_LIST(T, E)                                                                           \
    typedef struct T {                                                                             \
        const E *at;                                                                               \
        size_t n;                                                                                  \
    } T;                                                                                           \
    SPARK_TYPE_OBJECT_(T, SPARK_KIND_LIST, 0, NULL, SPARK_TYPE(E), NULL)

/* SPARK_OPTIONAL: struct { bool present; E value; }; all zero is absent. */
#define SPARK_OPTIONAL(T, E)                                                                       \
    typedef struct T {                                                                             \
        bool present;                                                                              \
        E value;                                                                                   \
    } T;                                                                                           \
    SPARK_TYPE_OBJECT_(T, SPARK_KIND_OPTIONAL, 0, NULL, SPARK_TYPE(E), NULL)

/* SPARK_DECIMAL: struct { int64_t units; }: an exact number of `precision` (up to 18) digits,
 * `scale` of them behind the point: SPARK_DECIMAL(money, 18, 2); (money){ 1250 } prints 12.50. */
#define SPARK_DECIMAL(T, precision, scale)                                                         \
    typedef struct T {                                                                             \
        int64_t units;                                                                             \
    } T;                                                                                           \
    SPARK_ASSERT_((precision) <= 18 && (scale) >= 0 && (scale) <= (precision), #T);                \
    static const spark_type spark_type_of_##T SPARK_UNUSED_ = { #T, SPARK_KIND_DECIMAL,            \
        (uint32_t)sizeof(T), (uint32_t)SPARK_ALIGNOF_(T), 0, precision, scale, NULL, NULL, NULL }; \
    SPARK_PORTS_(T)

/* SPARK_NUMBER: describes a typedef of a number, or an enum: it is a number of that size.
 *   typedef uint32_t user_id;
 *   SPARK_NUMBER(user_id); */
#define SPARK_NUMBER(T)                                                                            \
    SPARK_ASSERT_(SPARK_KIND_OF_(T) != SPARK_KIND_STRUCT, #T " is not a number");                  \
    SPARK_TYPE_OBJECT_(T, SPARK_KIND_OF_(T), 0, NULL, NULL, NULL)

/* SPARK_BLOB: bytes without a description, compared byte for byte: only for a T without padding and
 * without floating point members. A pointer in it is copied as the number it is: SPARK_HANDLE. */
#define SPARK_BLOB(T) SPARK_TYPE_OBJECT_(T, SPARK_KIND_BLOB, 0, NULL, NULL, NULL)

/* SPARK_HANDLE(T, P): struct { P *ptr; }: an element that is the address of something the library
 * knows nothing of: SPARK_HANDLE(image_ref, struct image). Of that it holds:
 *   - Only the address is copied, compared, hashed and printed. As a key it gives groups and orders
 *     that differ from run to run, as addresses do; use an id of the thing.
 *   - *ptr belongs to the program. It must be there as long as any RDD that has the handle, in its
 *     cache or lineage, is used. The library never frees it, and no function may: functions run
 *     again for the same elements, after a failure and for every job, in several threads at once.
 *     So they do not consume, change or take over what a handle of *in points to.
 *   - What a function makes and hands on as a handle is known to nobody once its attempt has
 *     failed, or its result was dropped: keep a list in env, under a lock, and free it after the
 *     last job, however that ended.
 *     (spark_defer frees at the end of the attempt, which is too early for what was emitted.)
 *   - It means nothing to another process: no object files, no spark_checkpoint.
 * Where the contents can be described, a view (spark_str, SPARK_LIST) has none of these troubles:
 * the engine copies what it keeps. */
#define SPARK_HANDLE(T, P)                                                                         \
    typedef struct T {                                                                             \
        P *ptr;                                                                                    \
    } T;                                                                                           \
    SPARK_BLOB(T)

SPARK_OPTIONAL(spark_opt_i32, int32_t);
SPARK_OPTIONAL(spark_opt_i64, int64_t);
SPARK_OPTIONAL(spark_opt_f64, double);
SPARK_OPTIONAL(spark_opt_str, spark_str);
SPARK_LIST(spark_i64_list, int64_t);
SPARK_LIST(spark_f64_list, double);
SPARK_LIST(spark_str_list, spark_str);

/* spark_array: what an action hands over: n elements of `type` and all their bytes, yours until
 * spark_array_free, which must come before spark_context_free. An action that fails leaves it
 * zeroed; freeing a zeroed or freed one does nothing. */
typedef struct spark_array {
    const spark_type *type;
    const void *items;
    size_t n;
    void *owner;
} spark_array;

void spark_array_free(spark_array *array);

/* SPARK_ITEMS: the elements, typed: const word_count *w = SPARK_ITEMS(word_count, &array). A type
 * that does not fit is a bug and aborts with a message. NULL for no array. */
#define SPARK_ITEMS(T, array) ((const T *)spark_array_items(array, SPARK_TYPE(T)))
const void *spark_array_items(const spark_array *array, const spark_type *want);

/* spark_array_print: the elements to a file that is open for writing, one a line, in the form of
 * spark_print, and flushed: spark_array_print(stdout, &array). On a terminal control characters of
 * strings are shown as U+FFFD. SPARK_EIO: it cannot be written.
 * spark_array_sort (action.h) sorts them. */
spark_status spark_array_print(FILE *file, const spark_array *array);

/* SPARK_POINTER_: a pointer to T, or to void; any other is an error, and not a warning, which would
 * not be shown where the headers are those of the system. */
#ifdef __cplusplus
#define SPARK_POINTER_(T, ...) (true ? (__VA_ARGS__) : (const T *)0)
#else
#define SPARK_POINTER_(T, ...)                                                                     \
    ((void)sizeof(                                                                                 \
         char[_Generic((__VA_ARGS__), T * : 1, const T * : 1, void * : 1, const void * : 1)]),     \
        (__VA_ARGS__))
#endif

/* SPARK_DATA, SPARK_VALUE, SPARK_ZERO: typed arguments; the pointer is checked against the type.
 *   SPARK_DATA(order, n, orders)   `type, n, data`    SPARK_VALUE(order, &x)   `type, value`
 *   SPARK_ZERO(moments)            `type, NULL`: all bytes zero
 * SPARK_DATA_OF, SPARK_LITERALS: as SPARK_DATA, counted by the compiler; the one takes an array
 * (not a pointer to its first element, which has no size), the other its elements:
 *   SPARK_DATA_OF(order, orders)
 *   SPARK_LITERALS(int, 3, 1, 4)   SPARK_LITERALS(word_count, { SPARK_STR("be"), 2 }) */
#define SPARK_DATA(T, n, ...) SPARK_TYPE(T), (n), SPARK_POINTER_(T, __VA_ARGS__)
#define SPARK_VALUE(T, ...) SPARK_TYPE(T), SPARK_POINTER_(T, __VA_ARGS__)
#define SPARK_ZERO(T) SPARK_TYPE(T), NULL
#define SPARK_DATA_OF(T, ...)                                                                      \
    SPARK_TYPE(T), SPARK_COUNT_(__VA_ARGS__), SPARK_POINTER_(T, __VA_ARGS__)
#ifdef __cplusplus
#define SPARK_COUNT_(...) spark_count_of_(__VA_ARGS__)
#define SPARK_LITERALS(T, ...)                                                                     \
    SPARK_TYPE(T), std::initializer_list<T> { __VA_ARGS__ }.size(),                                \
        std::initializer_list<T> { __VA_ARGS__ }.begin()
#else
#define SPARK_COUNT_(...)                                                                          \
    (sizeof(__VA_ARGS__) / sizeof((__VA_ARGS__)[0])                                                \
        + SPARK_CHECKED_(!__builtin_types_compatible_p(__typeof__(__VA_ARGS__),                    \
                             __typeof__(&(__VA_ARGS__)[0])),                                       \
            "SPARK_DATA_OF counts an array, not what a pointer points to"))
#define SPARK_LITERALS(T, ...)                                                                     \
    SPARK_TYPE(T), sizeof((T[]) { __VA_ARGS__ }) / sizeof(T), ((const T[]) { __VA_ARGS__ })
#endif

SPARK_END_DECLS

#ifdef __cplusplus
template <class T, size_t n> constexpr size_t spark_count_of_(const T (&)[n])
{
    return n;
}
#endif

#endif
