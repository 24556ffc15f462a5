/* verbs.h - private to cli: the functions behind the table of verbs. */
#ifndef HR_CLI_VERBS_H
#define HR_CLI_VERBS_H

int verb_new(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_runs(int argc, char **argv);
int verb_executions(int argc, char **argv);
int verb_artifacts(int argc, char **argv);
int verb_show(int argc, char **argv);
int verb_log(int argc, char **argv);
int verb_model(int argc, char **argv);
int verb_plugin(int argc, char **argv);
int verb_version(int argc, char **argv);
int verb_help(int argc, char **argv);

#endif
