/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes of values with a secret, where the plain ones of type/hash.c collide because somebody chose
 * the values so. Equal values hash equally here too: they are absorbed leaf by leaf, each in a form
 * that is one for equal leaves and tells by itself where it ends. A hash that the type brings itself is
 * all that is known of its equality, so whoever can make that collide is not stopped here. */
#include "base/secret.h"
#include "type/leaf.h"

typedef struct absorbing {
    spk_sip *sip;
    const char *value;
} absorbing;

static void absorb(spk_sip *sip, const spk_layout *layout, const char *p);

static void absorb_floats(spk_sip *sip, const char *p, size_t size, size_t width)
{
    float x;
    double y;
    for (size_t i = 0; i < size; i += width)
        if (width == sizeof x) {
            memcpy(&x, p + i, sizeof x);
            spk_sip_word(sip, spk_float_bits(x));
        } else {
            memcpy(&y, p + i, sizeof y);
            spk_sip_word(sip, spk_double_bits(y));
        }
}

static void absorb_list(spk_sip *sip, const spk_layout *of, const char *p)
{
    spark_str list;
    memcpy(&list, p, sizeof list);
    spk_sip_word(sip, list.len);
    for (size_t i = 0; i < list.len; i++)
        absorb(sip, of, list.ptr + i * of->size);
}

static void absorb_view(spk_sip *sip, const char *p)
{
    spark_str view;
    memcpy(&view, p, sizeof view);
    spk_sip_word(sip, view.len);
    spk_sip_bytes(sip, view.ptr, view.len);
}

static bool absorb_leaf(void *arg, const spk_leaf *leaf)
{
    const absorbing *a = arg;
    const char *p = a->value + leaf->offset;
    switch (leaf->kind) {
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        absorb_view(a->sip, p);
        break;
    case SPARK_KIND_F32:
    case SPARK_KIND_F64:
        absorb_floats(a->sip, p, leaf->size, spk_kind_width(leaf->kind));
        break;
    case SPARK_KIND_LIST:
        absorb_list(a->sip, leaf->of, p);
        break;
    case SPARK_KIND_OPTIONAL:
        spk_sip_word(a->sip, *p != 0);
        if (*p)
            absorb(a->sip, leaf->of, p + spk_optional_offset(leaf->of->align));
        break;
    case SPARK_KIND_STRUCT:
        absorb(a->sip, leaf->of, p);
        break;
    default:
        spk_sip_bytes(a->sip, p, leaf->size);
    }
    return true;
}

static void absorb(spk_sip *sip, const spk_layout *layout, const char *p)
{
    const spark_type_ops *ops = layout->type->ops;
    absorbing a = { sip, p };
    if (ops && ops->hash)
        spk_sip_word(sip, ops->hash(p));
    else if (layout->flat)
        spk_sip_bytes(sip, p, layout->size);
    else
        spk_layout_each_leaf(layout, absorb_leaf, &a);
}

uint64_t spk_value_secret_hash(
    const spk_layout *layout, const void *value, const spk_secret *secret)
{
    spk_sip sip = spk_sip_begin(secret);
    absorb(&sip, layout, value);
    return spk_sip_end(&sip);
}
