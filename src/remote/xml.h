/* SPDX-License-Identifier: Apache-2.0 */
/* XML as answers of servers have it: elements and texts, walked along, nothing is built. */
#ifndef SPK_REMOTE_XML_H
#define SPK_REMOTE_XML_H

#include <spark/str.h>

#include "remote/text.h"

/* spk_xml_next: the next element in *rest, which is used up: its name, without a prefix, and what is between its
 * tags. False: there is none, or what follows is no XML. Comments, instructions and attributes are
 * passed over. */
bool spk_xml_next(spark_str *rest, spark_str *name, spark_str *inner);
/* spk_xml_is: whether a name is this one. spk_xml_get: the first element of that name; empty: none. */
bool spk_xml_is(spark_str name, const char *text);
spark_str spk_xml_get(spark_str inner, const char *name);
/* spk_xml_text: what a text means: with entities, and numbers of characters. */
void spk_xml_text(spk_text *to, spark_str inner);

#endif
