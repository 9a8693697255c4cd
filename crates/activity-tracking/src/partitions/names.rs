//! The names of all activities, where the activities are divided by month: a name is there once, whenever the activity
//! occurred.
//!
//! The database itself sees to it, before a row is put into its month. The row of a name that belongs to another instant is
//! left out, as `ON CONFLICT DO NOTHING` leaves it out where the name is the key. Who has put a name there and is not done
//! yet is waited for, as there. A row that is there already goes on to its month, whose key says what becomes of it: so
//! whoever rewrites rows, by `ON CONFLICT DO UPDATE`, finds them. The program need not know.

use sea_orm::{ConnectionTrait, DbErr};

use super::{ACTIVITY, Partitioning, execute_all, parts};

const NAMES: &str = "activity_name";

const CLAIM: &str = "claim_activity_name";

/// Sees to the names in a way that is right for how the activities are divided now, in the transaction that divides them.
pub(super) async fn keep<C: ConnectionTrait>(connection: &C, partitioning: Partitioning) -> Result<(), DbErr> {
    let mut statements = vec![format!("DROP TABLE IF EXISTS {NAMES}"), format!("DROP FUNCTION IF EXISTS {CLAIM}")];
    if partitioning.has_months(ACTIVITY) {
        statements.extend(making(partitioning.partitions));
    }
    execute_all(connection, &statements).await
}

fn making(partitions: u32) -> Vec<String> {
    let columns = "client_id, activity_id, occur_time";
    let mut statements = vec![format!(
        "CREATE TABLE {NAMES} (client_id bigint NOT NULL, activity_id text NOT NULL, occur_time bigint NOT NULL) \
         PARTITION BY HASH (client_id)"
    )];
    statements.extend(parts(NAMES, partitions, None));
    statements.extend([
        format!("INSERT INTO {NAMES} ({columns}) SELECT {columns} FROM {ACTIVITY}"),
        format!("ALTER TABLE {NAMES} ADD PRIMARY KEY (client_id, activity_id)"),
        format!(
            "CREATE FUNCTION {CLAIM}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             INSERT INTO {NAMES} ({columns}) VALUES (NEW.client_id, NEW.activity_id, NEW.occur_time) \
                 ON CONFLICT DO NOTHING; \
             IF FOUND THEN RETURN NEW; END IF; \
             PERFORM FROM {NAMES} WHERE client_id = NEW.client_id AND activity_id = NEW.activity_id \
                 AND occur_time = NEW.occur_time; \
             IF FOUND THEN RETURN NEW; END IF; \
             RETURN NULL; \
             END $$"
        ),
        format!("CREATE TRIGGER {CLAIM} BEFORE INSERT ON {ACTIVITY} FOR EACH ROW EXECUTE FUNCTION {CLAIM}()"),
    ]);
    statements
}
