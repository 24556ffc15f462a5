/* Columns from a schema of tensorflow.metadata, in protobuf's text format.
 *
 *     shape, presence in every row     dense
 *     value_count with max 1, or no shape and no value_count, or a shape of one value that
 *     may be missing                   optional
 *     all else                         list
 *
 * Features of structs, and of no type, are no columns of the language.
 */
#include <string.h>

#include "transform/transform.h"
#include "wire/wire.h"

static int32_t type_of(const HR_MD(Feature) * f)
{
    switch (f->type) {
    case HR_MD_E(FEATURE_TYPE__INT):
        return HR_FEATURE_INT;
    case HR_MD_E(FEATURE_TYPE__FLOAT):
        return HR_FEATURE_FLOAT;
    case HR_MD_E(FEATURE_TYPE__BYTES):
        return HR_FEATURE_BYTES;
    default:
        return 0;
    }
}

static hr_status shape_of(struct hr_env *env, const HR_MD(Feature) * f, struct hr_feature *to)
{
    const HR_MD(FixedShape) *s = f->shape;
    int64_t size = 1;
    size_t i;

    if (s->n_dim > HR_FEATURE_RANK)
        return hr_fail(env, HR_INVALID,
                       "the feature \"%s\" has %zu dimensions, and at most 4 are "
                       "offered",
                       to->name, s->n_dim);
    for (i = 0; i < s->n_dim; i++) {
        if (s->dim[i]->size < 1 || s->dim[i]->size > HR_MAX_FEATURE_SIZE ||
            (size *= s->dim[i]->size) > HR_MAX_FEATURE_SIZE)
            return hr_fail(env, HR_INVALID,
                           "the feature \"%s\" has a dimension of %lld; from 1 to "
                           "1048576 values in a row are offered",
                           to->name, (long long)s->dim[i]->size);
        to->dims[i] = (int32_t)s->dim[i]->size;
    }
    if (f->presence_constraints_case == HR_MD_E(FEATURE__PRESENCE_CONSTRAINTS_PRESENCE) &&
        f->presence->has_min_fraction && f->presence->min_fraction >= 1) {
        to->shape = HR_FEATURE_DENSE;
        to->rank = (int32_t)s->n_dim;
    } else {
        to->shape = size == 1 ? HR_FEATURE_OPTIONAL : HR_FEATURE_LIST;
    }
    return HR_OK;
}

static hr_status column_of(struct hr_env *env, const HR_MD(Feature) * f, struct hr_feature *to)
{
    to->shape = HR_FEATURE_OPTIONAL;
    if (f->shape_type_case == HR_MD_E(FEATURE__SHAPE_TYPE_VALUE_COUNT) &&
        !(f->value_count->has_max && f->value_count->max == 1))
        to->shape = HR_FEATURE_LIST;
    if (f->shape_type_case == HR_MD_E(FEATURE__SHAPE_TYPE_VALUE_COUNTS))
        to->shape = HR_FEATURE_LIST;
    if (f->domain_info_case == HR_MD_E(FEATURE__DOMAIN_INFO_INT_DOMAIN) && f->int_domain->has_min &&
        f->int_domain->has_max) {
        to->has_domain = true;
        to->categorical = f->int_domain->is_categorical;
        to->domain_min = f->int_domain->min;
        to->domain_max = f->int_domain->max;
    }
    if (f->shape_type_case == HR_MD_E(FEATURE__SHAPE_TYPE_SHAPE))
        return shape_of(env, f, to);
    return HR_OK;
}

hr_status hr_columns_read(struct hr_arena *arena, const char *name, const char *text, size_t n,
                          struct hr_feature **ret, size_t *ret_count)
{
    ProtobufCMessage *message;
    const HR_MD(Schema) * schema;
    struct hr_feature *list;
    size_t i, count = 0;
    hr_status r = hr_pb_text_read(arena, &HR_MD_OF(schema), name, text, n, &message);

    if (r < 0)
        return r;
    schema = (const HR_MD(Schema) *)message;
    if (!(list = hr_arena_array(arena, schema->n_feature + 1, sizeof *list)))
        return HR_EXHAUSTED;
    for (i = 0; i < schema->n_feature; i++) {
        const HR_MD(Feature) *f = schema->feature[i];

        if (!f->name || !(list[count].type = type_of(f)))
            continue;
        list[count].name = f->name;
        if ((r = column_of(arena->env, f, &list[count])) < 0)
            return r;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return HR_OK;
}
