/* The commands of lumilio, one function each; the table in main.c lists them. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/* argv[0] is the last word of the command's name; the result is the exit code. */
int cmd_import(int argc, char **argv);
int cmd_work(int argc, char **argv);
int cmd_reprocess(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_model(int argc, char **argv);
int cmd_search(int argc, char **argv);
int cmd_duplicates(int argc, char **argv);
int cmd_delete(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_edit(int argc, char **argv);
int cmd_timeline(int argc, char **argv);
int cmd_trash_list(int argc, char **argv);
int cmd_trash_empty(int argc, char **argv);
int cmd_album(int argc, char **argv);
int cmd_tag(int argc, char **argv);
int cmd_repo(int argc, char **argv);
int cmd_species(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_migrate_apply(int argc, char **argv);
int cmd_migrate_status(int argc, char **argv);
int cmd_migrate_set(int argc, char **argv);
int cmd_migrate_hash(int argc, char **argv);
int cmd_migrate_validate(int argc, char **argv);
int cmd_river_migrate_up(int argc, char **argv);
int cmd_river_migrate_down(int argc, char **argv);
int cmd_river_migrate_list(int argc, char **argv);
int cmd_river_validate(int argc, char **argv);
int cmd_river_bench(int argc, char **argv);
int cmd_river_migrate_get(int argc, char **argv);
int cmd_river_ext_migrate_up(int argc, char **argv);
int cmd_river_ext_migrate_down(int argc, char **argv);
int cmd_river_insert(int argc, char **argv);
int cmd_river_jobs_list(int argc, char **argv);
int cmd_river_jobs_get(int argc, char **argv);
int cmd_river_jobs_cancel(int argc, char **argv);
int cmd_river_jobs_retry(int argc, char **argv);
int cmd_river_jobs_delete(int argc, char **argv);
int cmd_river_queues_list(int argc, char **argv);
int cmd_river_queues_pause(int argc, char **argv);
int cmd_river_queues_resume(int argc, char **argv);
int cmd_river_queues_update(int argc, char **argv);
int cmd_db_url(int argc, char **argv);
int cmd_db_start(int argc, char **argv);
int cmd_db_stop(int argc, char **argv);
int cmd_db_status(int argc, char **argv);
int cmd_db_psql(int argc, char **argv);
int cmd_db_verify(int argc, char **argv);
int cmd_user_add(int argc, char **argv);
int cmd_user_list(int argc, char **argv);
int cmd_user_passwd(int argc, char **argv);
int cmd_user_rotate_key(int argc, char **argv);
int cmd_user_login(int argc, char **argv);
int cmd_user_logout(int argc, char **argv);
int cmd_user_whoami(int argc, char **argv);
int cmd_user_token(int argc, char **argv);
int cmd_user_sessions_list(int argc, char **argv);
int cmd_user_sessions_end(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_help(int argc, char **argv);

#endif
