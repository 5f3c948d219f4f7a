package app

import (
	"database/sql"
	"testing"

	_ "github.com/mattn/go-sqlite3"
)

// damage changes what an entry of the audit log says, as a forger would.
func damage(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite3", databaseFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE audit SET actor = 'person:somebody.else@example.com' WHERE seq = 1"); err != nil {
		t.Fatal(err)
	}
}
