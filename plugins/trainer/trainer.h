/* trainer.h - what the files of the plugin share. */
#ifndef TRAINER_H
#define TRAINER_H

#include "headrace/easy.h"
#include "headrace/model.h"
#include "headrace/rows.h"
#include "learn/learn.h"
#include "transform/transform.h"

/* Batches of one split in memory, as features. */
struct split_rows {
    struct ArrowSchema schema;
    struct ArrowArray *list;
    size_t n, cap;
    int64_t rows;
};

struct trainer {
    struct hr_easy easy;
    hr_run *run;
    struct hr_env env;
    struct hr_arena arena;
    struct hr_plan *plan; /* NULL: rows are features */
    const char *label;
    struct split_rows train, eval;
    struct hr_net_input *inputs;
    struct hr_net_shape shape;
    struct hr_net *net;
};

/* Rows of a split of all artifacts; an empty one if no artifact has it. */
hr_status trainer_read(struct trainer *t, const char *split, struct split_rows *ret);
void trainer_rows_clear(struct trainer *t, struct split_rows *rows);

/* Fill inputs, task, classes and labels of shape from the train split. */
hr_status trainer_inputs(struct trainer *t);

/* Write the directory of the output "model". */
hr_status trainer_save(struct trainer *t);

extern const hr_model_1 trainer_model;

#endif
