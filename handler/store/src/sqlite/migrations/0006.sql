-- Schema 6. Game servers that the operator lets check players' passwords.
ALTER TABLE server ADD COLUMN login_check INTEGER NOT NULL DEFAULT 0;
