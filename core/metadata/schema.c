#include "metadata/schema.h"

#include <stddef.h>

#define NODE_PROPERTY(table, id)                                                                   \
    "CREATE TABLE `" table "` (`" id "` INT NOT NULL, `name` VARCHAR(255) NOT NULL,"               \
    " `is_custom_property` TINYINT(1) NOT NULL, `int_value` INT, `double_value` DOUBLE,"           \
    " `string_value` TEXT, `byte_value` BLOB, `proto_value` BLOB, `bool_value` BOOLEAN,"           \
    " PRIMARY KEY (`" id "`, `name`, `is_custom_property`))"

#define VALUE_INDEX(name, table, column)                                                           \
    "CREATE INDEX `" name "` ON `" table "` (`name`, `is_custom_property`, `" column "`)"          \
    " WHERE `" column "` IS NOT NULL"

#define TIMES                                                                                      \
    "`create_time_since_epoch` INT NOT NULL DEFAULT 0,"                                            \
    " `last_update_time_since_epoch` INT NOT NULL DEFAULT 0"

const char *const hr_schema_create[] = {
    "CREATE TABLE `Type` (`id` INTEGER PRIMARY KEY AUTOINCREMENT, `name` VARCHAR(255) NOT NULL,"
    " `version` VARCHAR(255), `type_kind` TINYINT(1) NOT NULL, `description` TEXT,"
    " `input_type` TEXT, `output_type` TEXT, `external_id` VARCHAR(255) UNIQUE)",
    "CREATE TABLE `TypeProperty` (`type_id` INT NOT NULL, `name` VARCHAR(255) NOT NULL,"
    " `data_type` INT, PRIMARY KEY (`type_id`, `name`))",
    "CREATE TABLE `ParentType` (`type_id` INT NOT NULL, `parent_type_id` INT NOT NULL,"
    " PRIMARY KEY (`type_id`, `parent_type_id`))",
    "CREATE TABLE `Artifact` (`id` INTEGER PRIMARY KEY AUTOINCREMENT, `type_id` INT NOT NULL,"
    " `uri` TEXT, `state` INT, `name` VARCHAR(255), `external_id` VARCHAR(255) UNIQUE, " TIMES
    ", UNIQUE (`type_id`, `name`))",
    NODE_PROPERTY("ArtifactProperty", "artifact_id"),
    "CREATE TABLE `Execution` (`id` INTEGER PRIMARY KEY AUTOINCREMENT, `type_id` INT NOT NULL,"
    " `last_known_state` INT, `name` VARCHAR(255), `external_id` VARCHAR(255) UNIQUE, " TIMES
    ", UNIQUE (`type_id`, `name`))",
    NODE_PROPERTY("ExecutionProperty", "execution_id"),
    "CREATE TABLE `Context` (`id` INTEGER PRIMARY KEY AUTOINCREMENT, `type_id` INT NOT NULL,"
    " `name` VARCHAR(255) NOT NULL, `external_id` VARCHAR(255) UNIQUE, " TIMES
    ", UNIQUE (`type_id`, `name`))",
    NODE_PROPERTY("ContextProperty", "context_id"),
    "CREATE TABLE `ParentContext` (`context_id` INT NOT NULL, `parent_context_id` INT NOT NULL,"
    " PRIMARY KEY (`context_id`, `parent_context_id`))",
    "CREATE TABLE `Event` (`id` INTEGER PRIMARY KEY AUTOINCREMENT, `artifact_id` INT NOT NULL,"
    " `execution_id` INT NOT NULL, `type` INT NOT NULL, `milliseconds_since_epoch` INT,"
    " UNIQUE (`artifact_id`, `execution_id`, `type`))",
    "CREATE TABLE `EventPath` (`event_id` INT NOT NULL, `is_index_step` TINYINT(1) NOT NULL,"
    " `step_index` INT, `step_key` TEXT)",
    "CREATE TABLE `Association` (`id` INTEGER PRIMARY KEY AUTOINCREMENT,"
    " `context_id` INT NOT NULL, `execution_id` INT NOT NULL,"
    " UNIQUE (`context_id`, `execution_id`))",
    "CREATE TABLE `Attribution` (`id` INTEGER PRIMARY KEY AUTOINCREMENT,"
    " `context_id` INT NOT NULL, `artifact_id` INT NOT NULL,"
    " UNIQUE (`context_id`, `artifact_id`))",
    "CREATE TABLE `MLMDEnv` (`schema_version` INTEGER PRIMARY KEY)",

    "CREATE INDEX `idx_type_name` ON `Type` (`name`)",
    "CREATE INDEX `idx_type_external_id` ON `Type` (`external_id`)",
    "CREATE INDEX `idx_artifact_external_id` ON `Artifact` (`external_id`)",
    "CREATE INDEX `idx_execution_external_id` ON `Execution` (`external_id`)",
    "CREATE INDEX `idx_context_external_id` ON `Context` (`external_id`)",
    "CREATE INDEX `idx_artifact_uri` ON `Artifact` (`uri`)",
    "CREATE INDEX `idx_artifact_create_time_since_epoch` ON `Artifact`"
    " (`create_time_since_epoch`)",
    "CREATE INDEX `idx_artifact_last_update_time_since_epoch` ON `Artifact`"
    " (`last_update_time_since_epoch`)",
    "CREATE INDEX `idx_execution_create_time_since_epoch` ON `Execution`"
    " (`create_time_since_epoch`)",
    "CREATE INDEX `idx_execution_last_update_time_since_epoch` ON `Execution`"
    " (`last_update_time_since_epoch`)",
    "CREATE INDEX `idx_context_create_time_since_epoch` ON `Context` (`create_time_since_epoch`)",
    "CREATE INDEX `idx_context_last_update_time_since_epoch` ON `Context`"
    " (`last_update_time_since_epoch`)",
    "CREATE INDEX `idx_event_execution_id` ON `Event` (`execution_id`)",
    "CREATE INDEX `idx_eventpath_event_id` ON `EventPath` (`event_id`)",
    "CREATE INDEX `idx_parentcontext_parent_context_id` ON `ParentContext`"
    " (`parent_context_id`)",
    VALUE_INDEX("idx_artifact_property_int", "ArtifactProperty", "int_value"),
    VALUE_INDEX("idx_artifact_property_double", "ArtifactProperty", "double_value"),
    VALUE_INDEX("idx_artifact_property_string", "ArtifactProperty", "string_value"),
    VALUE_INDEX("idx_execution_property_int", "ExecutionProperty", "int_value"),
    VALUE_INDEX("idx_execution_property_double", "ExecutionProperty", "double_value"),
    VALUE_INDEX("idx_execution_property_string", "ExecutionProperty", "string_value"),
    VALUE_INDEX("idx_context_property_int", "ContextProperty", "int_value"),
    VALUE_INDEX("idx_context_property_double", "ContextProperty", "double_value"),
    VALUE_INDEX("idx_context_property_string", "ContextProperty", "string_value"),
    NULL,
};

const char *const hr_schema_more[] = {
    "CREATE INDEX IF NOT EXISTS `idx_hr_attribution_artifact` ON `Attribution` (`artifact_id`)",
    "CREATE INDEX IF NOT EXISTS `idx_hr_association_execution` ON `Association` (`execution_id`)",
    "CREATE INDEX IF NOT EXISTS `idx_hr_execution_running` ON `Execution` (`last_known_state`)"
    " WHERE `last_known_state` = 2",
    "CREATE INDEX IF NOT EXISTS `idx_hr_parentcontext_children` ON `ParentContext`"
    " (`parent_context_id`, `context_id`)",
    NULL,
};

#define PROPERTY_COLUMNS                                                                           \
    "name, is_custom_property, int_value, double_value, string_value, byte_value, proto_value,"    \
    " bool_value"

const char *const hr_schema_probes[HR_SCHEMA_TABLES] = {
    "SELECT id, name, version, type_kind, description, input_type, output_type, external_id"
    " FROM Type LIMIT 1",
    "SELECT type_id, name, data_type FROM TypeProperty LIMIT 1",
    "SELECT type_id, parent_type_id FROM ParentType LIMIT 1",
    "SELECT id, type_id, uri, state, name, external_id, create_time_since_epoch,"
    " last_update_time_since_epoch FROM Artifact LIMIT 1",
    "SELECT artifact_id, " PROPERTY_COLUMNS " FROM ArtifactProperty LIMIT 1",
    "SELECT id, type_id, last_known_state, name, external_id, create_time_since_epoch,"
    " last_update_time_since_epoch FROM Execution LIMIT 1",
    "SELECT execution_id, " PROPERTY_COLUMNS " FROM ExecutionProperty LIMIT 1",
    "SELECT id, type_id, name, external_id, create_time_since_epoch,"
    " last_update_time_since_epoch FROM Context LIMIT 1",
    "SELECT context_id, " PROPERTY_COLUMNS " FROM ContextProperty LIMIT 1",
    "SELECT context_id, parent_context_id FROM ParentContext LIMIT 1",
    "SELECT id, artifact_id, execution_id, type, milliseconds_since_epoch FROM Event LIMIT 1",
    "SELECT event_id, is_index_step, step_index, step_key FROM EventPath LIMIT 1",
    "SELECT id, context_id, execution_id FROM Association LIMIT 1",
    "SELECT id, context_id, artifact_id FROM Attribution LIMIT 1",
    "SELECT schema_version FROM MLMDEnv LIMIT 1",
};

const struct hr_simple_type hr_simple_types[HR_SIMPLE_TYPES] = {
    { "mlmd.Dataset", 1 },    { "mlmd.Model", 1 },    { "mlmd.Metrics", 1 },
    { "mlmd.Statistics", 1 }, { "mlmd.Train", 0 },    { "mlmd.Transform", 0 },
    { "mlmd.Process", 0 },    { "mlmd.Evaluate", 0 }, { "mlmd.Deploy", 0 },
};
