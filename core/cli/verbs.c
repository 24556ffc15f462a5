#include "cli/verbs.h"

#include "cli/cli.h"

#define PROJECT_OPTIONS                                                                            \
    "  --root DIR          the project's directory (default: the one here or above)\n"             \
    "  --plugin-path DIRS  where plugins are looked for first, separated by colons\n"
#define LIST_OPTIONS                                                                               \
    "  --filter TEXT       rows that match, as \"state = FAILED and node = trainer\"\n"            \
    "  --limit N           the newest N rows\n"                                                    \
    "  --json              one JSON object a line\n" PROJECT_OPTIONS

const struct verb verbs[] = {
    { "new", "headrace new DIR [--template penguin|taxi|blank]",
      "make a project that runs as it is",
      "Makes DIR with a pipeline, its files and data.\n\n"
      "  --template NAME     penguin (default), taxi or blank\n",
      verb_new },
    { "check", "headrace check [FILE] [--param K=V]... [--json]",
      "tell all mistakes of a pipeline, run nothing",
      "FILE is pipeline.json unless given.  Every mistake is told at once, with file, line and\n"
      "column.\n\n"
      "  --json              print the pipeline with all defaults filled in and all names full\n"
      "  --param K=V         a parameter of the pipeline\n" PROJECT_OPTIONS,
      verb_check },
    { "run", "headrace run [FILE] [OPTIONS]", "run a pipeline",
      "FILE is pipeline.json unless given.  What was done before with equal inputs, properties\n"
      "and code is not done again.\n\n"
      "  --param K=V         a parameter of the pipeline; repeatable\n"
      "  --jobs N            nodes at once (default: as many as there are cores)\n"
      "  --force NODE        run this node though its result is there; repeatable\n"
      "  --no-cache          run every node\n"
      "  --keep-going        other branches go on after a failure\n"
      "  --strict            exit with 3 where a gate refused: unblessed, anomalies\n"
      "  --isolation KIND    worker (default), or none: plugins run in this process\n"
      "  --sandbox KIND      best (default), or required: fail where the kernel lacks a part\n"
      "  --name TEXT         what people call the run\n"
      "  --check             verify every batch of rows that a plugin makes\n"
      "  --json              one event a line, as JSON\n"
      "  --quiet             nothing but errors\n"
      "  --no-color          no colours\n" PROJECT_OPTIONS
      "\nExit status: 0 done, 1 a node failed or the input is wrong, 2 usage, 3 a gate refused\n"
      "and --strict was given, 130 interrupted.\n",
      verb_run },
    { "runs", "headrace runs [OPTIONS]", "the runs",
      "Lists runs, the newest first.\n\n" LIST_OPTIONS, verb_runs },
    { "executions", "headrace executions [OPTIONS]", "each try at each node",
      "Lists executions, the newest first.\n\n" LIST_OPTIONS, verb_executions },
    { "artifacts", "headrace artifacts [OPTIONS]", "what was made",
      "Lists artifacts, the newest first.\n\n" LIST_OPTIONS, verb_artifacts },
    { "show", "headrace show WHAT [--json]", "one thing: its facts, and a picture of its content",
      "WHAT is \"run 7\", \"execution 12\", \"artifact 12\", a model as \"penguin@7\", or the name "
      "of a\n"
      "node, which stands for its newest execution and draws what that has made.\n\n"
      "  --json              all that is known, as JSON\n" PROJECT_OPTIONS,
      verb_show },
    { "log", "headrace log EXECUTION", "log lines, stdout and stderr of an execution",
      "EXECUTION is its number, or the name of a node for its newest.\n\n" PROJECT_OPTIONS,
      verb_log },
    { "model", "headrace model list | show NAME[@VERSION] | predict MODEL [ROWS]",
      "models that were pushed",
      "list                lists them\n"
      "show NAME@VERSION   what it is and came from\n"
      "predict MODEL ROWS  MODEL is a name, name@version or a directory; ROWS a JSON object, a "
      "list\n"
      "                    of them, or - (default) for one on standard input\n\n"
      "  --signature NAME    what to ask the model for\n"
      "  --json              lists as JSON, one object a line\n" PROJECT_OPTIONS,
      verb_model },
    { "plugin", "headrace plugin list | inspect PLUGIN", "plugins and their components",
      "list                lists plugins, also broken ones, with the reason\n"
      "inspect PLUGIN      components, inputs, outputs, properties; PLUGIN is an id or a "
      "component\n\n"
      "  --json              as JSON\n" PROJECT_OPTIONS,
      verb_plugin },
    { "version", "headrace version", "the version", "Prints the version.\n", verb_version },
    { "help", "headrace help [VERB]", "this list, or the page of a verb", "Prints help.\n",
      verb_help },
    { NULL, NULL, NULL, NULL, NULL },
};
