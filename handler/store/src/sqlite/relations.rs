//! What the rows of a database say about each other, and what it means when they do not agree. Used where damage is looked
//! for; pure.
//!
//! Nothing here depends on settings, on clocks, or on how letters are folded in this version: what is told is damage.

use super::tx;
use crate::PrincipalKind;

/// References that the schema does not declare: the rows whose counterpart is missing, and what they are. Of somebody
/// only players (1), game servers (2) and worlds (3) have a table to be missing from.
const ORPHANS: &[(&str, &str)] = &[
    ("record WHERE board NOT IN (SELECT id FROM board)", "scores on no board"),
    ("record WHERE player NOT IN (SELECT id FROM player)", "scores of no player"),
    ("record WHERE server IS NOT NULL AND server NOT IN (SELECT id FROM server)", "scores from no game server"),
    ("record_log WHERE board NOT IN (SELECT id FROM board)", "logged scores on no board"),
    ("record_log WHERE player NOT IN (SELECT id FROM player)", "logged scores of no player"),
    (
        "record_log WHERE server IS NOT NULL AND server NOT IN (SELECT id FROM server)",
        "logged scores from no game server",
    ),
    ("setting WHERE owner_kind = 1 AND owner_id NOT IN (SELECT id FROM player)", "settings of no player"),
    ("setting WHERE owner_kind = 2 AND owner_id NOT IN (SELECT id FROM server)", "settings of no game server"),
    ("block WHERE from_kind = 1 AND from_id NOT IN (SELECT id FROM player)", "blocks of no player"),
    ("block WHERE from_kind = 2 AND from_id NOT IN (SELECT id FROM server)", "blocks of no game server"),
    ("mail WHERE from_kind = 1 AND from_id NOT IN (SELECT id FROM player)", "letters of no player"),
    ("mail WHERE from_kind = 2 AND from_id NOT IN (SELECT id FROM server)", "letters of no game server"),
    ("setting WHERE owner_kind = 3 AND owner_id NOT IN (SELECT id FROM licence)", "settings of no world"),
    ("property WHERE owner_kind = 1 AND owner_id NOT IN (SELECT id FROM player)", "properties of no player"),
    ("property WHERE owner_kind = 3 AND owner_id NOT IN (SELECT id FROM licence)", "properties of no world"),
    ("played WHERE world NOT IN (SELECT id FROM licence)", "terms of play of no world"),
    ("keyed WHERE owner_kind = 1 AND owner_id NOT IN (SELECT id FROM player)", "keys of no player"),
    ("keyed WHERE owner_kind = 2 AND owner_id NOT IN (SELECT id FROM server)", "keys of no game server"),
    (
        "sequence WHERE kind = 4 AND owner_kind = 1 AND owner_id NOT IN (SELECT id FROM player)",
        "counts of letters of no player",
    ),
    (
        "sequence WHERE kind = 4 AND owner_kind = 2 AND owner_id NOT IN (SELECT id FROM server)",
        "counts of letters of no game server",
    ),
];

/// What is wrong within one row, beyond what the schema refuses.
const ODD: &[(&str, &str)] = &[
    // What is not plain ASCII is folded by tables that change with their version.
    (
        "player WHERE name = '' OR name NOT GLOB '*[^ -~]*' AND folded <> lower(name)",
        "players whose names are not the ones that they are found by",
    ),
    ("player WHERE hash NOT GLOB '$argon2id$*'", "players whose passwords are no hashes"),
    ("server WHERE disabled NOT IN (0, 1)", "game servers that are neither enabled nor disabled"),
    ("server WHERE login_check NOT IN (0, 1)", "game servers that may check passwords and may not"),
    (
        "licence WHERE name = '' OR name NOT GLOB '*[^ -~]*' AND folded <> lower(name)",
        "worlds whose names are not the ones that they are found by",
    ),
    (
        "licence WHERE users NOT BETWEEN 1 AND 1024 OR size NOT BETWEEN 1 AND 3275
             OR listed NOT IN (0, 1) OR visitors NOT IN (0, 1) OR voice NOT IN (0, 1) OR plugins NOT IN (0, 1)
             OR check_address NOT IN (0, 1)",
        "licences that nobody can have granted",
    ),
    ("granted WHERE right = ''", "rights to nothing"),
    ("universe WHERE key = ''", "settings of the universe without a name"),
    ("preference WHERE name = '' OR octet_length(value) NOT BETWEEN 1 AND 64", "preferences that nobody can have set"),
    ("played WHERE key = '' OR octet_length(value) > 8192", "terms of play that nobody can have set"),
    ("setting WHERE version < 1 OR public NOT IN (0, 1) OR key = ''", "settings that nobody can have made"),
    (
        "property WHERE owner_kind NOT IN (1, 3) OR version < 1 OR name = '' OR octet_length(value) > 4096
             OR finger NOT IN (0, 1) OR push NOT IN (0, 1) OR kept NOT IN (0, 1)",
        "properties that nobody can have made",
    ),
    (
        "mail WHERE in_box NOT IN (0, 1) OR in_sent NOT IN (0, 1) OR in_box = 0 AND in_sent = 0",
        "letters that nobody keeps",
    ),
    ("mail WHERE from_number < 1 OR to_number < 1", "letters without a number"),
    (
        "record_log WHERE withdrawn NOT IN (0, 1)
             OR withdrawn = 1 AND (score <> 0 OR server IS NOT NULL OR note IS NOT NULL)",
        "logged scores that nobody can have submitted",
    ),
];

/// Numbers that are given once: rows with one that was not given yet, or twice.
const NUMBERS: &[(&str, &str)] = &[
    (
        "player WHERE id > coalesce((SELECT last FROM sequence WHERE kind = 1), 0) OR id < 1",
        "players with a number that was not given yet",
    ),
    (
        "server WHERE id > coalesce((SELECT last FROM sequence WHERE kind = 2), 0) OR id < 1",
        "game servers with a number that was not given yet",
    ),
    (
        "board WHERE id > coalesce((SELECT last FROM sequence WHERE kind = 3), 0) OR id < 1",
        "boards with a number that was not given yet",
    ),
    (
        "mail WHERE to_number > coalesce((SELECT last FROM sequence WHERE kind = 4 AND owner_kind = 1
                                          AND owner_id = to_player), 0)",
        "letters with a number that their receiver's mailbox has not given yet",
    ),
    (
        "mail WHERE from_number > coalesce((SELECT last FROM sequence WHERE kind = 4 AND owner_kind = from_kind
                                            AND owner_id = from_id), 0)",
        "letters with a number that their sender's mailbox has not given yet",
    ),
    (
        "(SELECT 1 FROM (SELECT to_player AS owner, to_number AS number, 1 AS kind FROM mail
                         UNION ALL SELECT from_id, from_number, from_kind FROM mail)
          GROUP BY kind, owner, number HAVING count(*) > 1)",
        "letters with a number that another letter of the same mailbox has",
    ),
    ("sequence WHERE last < 0 OR kind <> 4 AND (owner_kind, owner_id) <> (0, 0)", "counts of nothing"),
    (
        "licence WHERE id > coalesce((SELECT last FROM sequence WHERE kind = 6), 0) OR id < 1",
        "worlds with a number that was not given yet",
    ),
];

/// The table of scores, its log, and what was withdrawn. Scores leave the log in their order, and only once they are in the
/// table.
const SCORES: &[(&str, &str)] = &[
    ("(SELECT 1 WHERE (SELECT count(*) FROM record_folded) <> 1)", "marks of how far scores have left the log"),
    (
        "record_log WHERE ord <= (SELECT ord FROM record_folded) OR ord < 1",
        "logged scores that should have left the log",
    ),
    (
        "record AS r WHERE ord > (SELECT ord FROM record_folded) AND NOT EXISTS (
             SELECT 1 FROM record_log AS l WHERE l.ord = r.ord AND l.withdrawn = 0 AND l.board = r.board
                AND l.player = r.player AND l.score = r.score AND l.at = r.at AND l.server IS r.server
                AND l.note IS r.note)",
        "standing scores that the log does not have so",
    ),
    (
        "(SELECT 1 FROM record GROUP BY ord HAVING count(*) > 1)",
        "standing scores that have their place in time together with another one",
    ),
    (
        "withdrawal AS w JOIN record AS r ON r.board = w.board AND r.player = w.player AND r.ord = w.ord
         WHERE NOT EXISTS (SELECT 1 FROM record_log AS l WHERE l.board = w.board AND l.player = w.player
                           AND l.ord > w.ord)",
        "scores that stand although they were withdrawn",
    ),
    (
        "withdrawal WHERE ord < 1
             OR ord >= max((SELECT ord FROM record_folded), coalesce((SELECT max(ord) FROM record_log), 0))",
        "withdrawn scores that were never submitted",
    ),
    // Of what was submitted since a player's score was withdrawn for the last time: the board may have been another before.
    (
        "(WITH last AS (SELECT board, player, max(ord) AS ord FROM record_log WHERE withdrawn = 1 GROUP BY board, player),
               score AS (SELECT board, player, ord, score FROM record WHERE ord <= (SELECT ord FROM record_folded)
                         UNION ALL SELECT board, player, ord, score FROM record_log WHERE withdrawn = 0),
               since AS (SELECT s.* FROM score AS s LEFT JOIN last AS l ON l.board = s.board AND l.player = s.player
                         WHERE l.ord IS NULL OR s.ord > l.ord),
               step AS (SELECT board, score, lag(score) OVER (PARTITION BY board, player ORDER BY ord) AS was FROM since)
          SELECT 1 FROM step JOIN board ON board.id = step.board WHERE was IS NOT NULL
             AND CASE operator WHEN 'best' THEN CASE better WHEN 'lower' THEN score >= was ELSE score <= was END
                               WHEN 'count' THEN score <> was + 1
                               ELSE score = was END)",
        "scores that cannot follow the ones before them",
    ),
    (
        "(SELECT score FROM record JOIN board ON board.id = record.board WHERE operator = 'count' AND score < 1)",
        "counts of less than one",
    ),
];

/// Columns that say of what kind somebody is.
const KINDS: &[(&str, &str, &str)] = &[
    ("setting", "owner_kind", "settings"),
    ("property", "owner_kind", "properties"),
    ("block", "from_kind", "blocks"),
    ("mail", "from_kind", "letters"),
    ("keyed", "owner_kind", "keys"),
    ("refused", "from_kind", "refused letters"),
];

/// What is counted, as what stands behind `SELECT count(*) FROM`, and what so many are.
pub(super) fn all() -> impl Iterator<Item = (String, String)> {
    let listed = [ORPHANS, ODD, NUMBERS, SCORES].into_iter().flatten();
    let listed = listed.map(|(rows, what)| ((*rows).to_owned(), (*what).to_owned()));
    let known: Vec<String> = PrincipalKind::ALL.iter().map(|kind| kind.number().to_string()).collect();
    let known = known.join(", ");
    let kinds = KINDS.iter().map(move |(table, column, what)| {
        (format!("{table} WHERE {column} NOT IN ({known})"), format!("{what} of nobody that this program knows"))
    });
    let (first, last) = (tx::KINDS.start(), tx::KINDS.end());
    let counts = format!("sequence WHERE kind NOT BETWEEN {first} AND {last}");
    listed.chain(kinds).chain([(counts, "counts of what this program does not know".to_owned())])
}
