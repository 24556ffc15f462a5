/* draw.h - private to cli: JSON of hr_show() as pictures in the terminal. */
#ifndef HR_CLI_DRAW_H
#define HR_CLI_DRAW_H

#include <cjson/cJSON.h>

#include "cli/cli.h"

/* What an artifact of a type holds; nothing if there is no picture of it. */
void draw_content(const struct term *t, const char *type, const cJSON *content);

void draw_statistics(const struct term *t, const cJSON *content);
void draw_schema(const struct term *t, const cJSON *content);
void draw_anomalies(const struct term *t, const cJSON *content);
void draw_evaluation(const struct term *t, const cJSON *content);
void draw_model(const struct term *t, const cJSON *content);

/* What a call has answered, freed by cJSON_Delete(); NULL: no memory, told. */
cJSON *parse_json(const char *json);
/* A value as JSON, freed by cJSON_free(); NULL: no memory, told. */
char *json_text(const cJSON *value);

const char *get_text(const cJSON *object, const char *key); /* "" where there is none */
double get_number(const cJSON *object, const char *key);
bool has(const cJSON *object, const char *key);
/* A number in few digits: 0.1234, 12.3, 1.2e+09, 42. */
void short_number(double v, char *to, size_t n);
/* A bar of n columns, filled by a part of 1. */
void put_bar(const struct term *t, double part, int n);

#endif
