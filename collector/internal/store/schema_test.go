package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// schema returns "table.column" → "kind nullability key" of either engine.
func schema(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	query := map[string]string{
		"sqlite": `SELECT m.type, m.name, c.name, lower(c.type), c."notnull" = 0 AND c.pk = 0, c.pk
			FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%'`,
		"postgres": `SELECT CASE t.table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END, c.table_name, c.column_name, c.data_type, c.is_nullable = 'YES',
				coalesce((SELECT k.ordinal_position FROM information_schema.key_column_usage k JOIN information_schema.table_constraints x USING (constraint_name, table_name)
					WHERE x.constraint_type = 'PRIMARY KEY' AND k.table_name = c.table_name AND k.column_name = c.column_name), 0)
			FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) WHERE c.table_schema = 'public'`,
	}[s.Engine()]
	kinds := map[string]string{"bigint": "integer", "boolean": "integer", "integer": "integer", "text": "text", "bytea": "blob", "blob": "blob"}
	found, err := s.Writer().QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	out := map[string]string{}
	for found.Next() {
		var what, table, column, kind string
		var null bool
		var pk int
		if err := found.Scan(&what, &table, &column, &kind, &null, &pk); err != nil {
			t.Fatal(err)
		}
		switch {
		case table == "goose_db_version":
			continue
		case what == "view":
			out[table+"."+column] = "view"
		case kinds[kind] == "":
			t.Errorf("%s: column %s.%s has kind %q, which the store does not use", s.Engine(), table, column, kind)
		default:
			out[table+"."+column] = fmt.Sprintf("%s null=%v key=%d", kinds[kind], null, pk)
		}
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSchemasAreTwins(t *testing.T) {
	lite := schema(t, storetest.SQLite(t))
	pg := schema(t, storetest.Open(t, store.Config{DatabaseURL: storetest.Postgres(t)}))
	if len(lite) < 100 {
		t.Fatalf("only %d columns found", len(lite))
	}
	for column, kind := range lite {
		if pg[column] != kind {
			t.Errorf("%s: SQLite has %q, PostgreSQL %q", column, kind, pg[column])
		}
	}
	for column := range pg {
		if lite[column] == "" {
			t.Errorf("%s is in PostgreSQL only", column)
		}
	}
}

func TestTablesAreStrict(t *testing.T) {
	s := storetest.SQLite(t)
	var loose sql.NullString
	err := s.Writer().QueryRow(`SELECT group_concat(name) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'`).Scan(&loose)
	if err != nil || loose.Valid {
		t.Fatalf("tables that are not STRICT: %q, %v", loose.String, err)
	}
}

func TestMigrationsHaveTwins(t *testing.T) {
	names := func(engine string) (out []string) {
		entries, err := os.ReadDir(filepath.Join("migrations", engine))
		if err != nil || len(entries) == 0 {
			t.Fatalf("migrations of %s: %v", engine, err)
		}
		for _, e := range entries {
			out = append(out, e.Name())
		}
		return out
	}
	if lite, pg := names("sqlite"), names("postgres"); !reflect.DeepEqual(lite, pg) {
		t.Fatalf("migrations differ: SQLite %q, PostgreSQL %q", lite, pg)
	}
}

// generatedQueries reads the SQL texts out of what sqlc generated.
func generatedQueries(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("internal/db/*.sql.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
				if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					out[spec.Names[0].Name] = text
				}
			}
			return true
		})
	}
	return out
}

func TestEveryQueryIsOfBothEngines(t *testing.T) {
	queries := generatedQueries(t)
	if len(queries) < 50 {
		t.Fatalf("only %d queries found", len(queries))
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, text := range queries {
			stmt, err := s.Writer().Prepare(text)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			_ = stmt.Close()
		}
	})
}

// SQLite binds $N by order of first appearance, whatever N is.
func TestParametersAreNumberedInOrder(t *testing.T) {
	for name, text := range generatedQueries(t) {
		next := 1
		for rest := text; ; {
			_, after, ok := strings.Cut(rest, "$")
			if !ok {
				break
			}
			digits := after[:len(after)-len(strings.TrimLeft(after, "0123456789"))]
			n, err := strconv.Atoi(digits)
			if err != nil || n > next {
				t.Errorf("%s: $%s stands where $%d should", name, digits, next)
			}
			if n == next {
				next++
			}
			rest = after
		}
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	for _, cfg := range []store.Config{{Path: filepath.Join(t.TempDir(), "vigia.db")}, {DatabaseURL: storetest.Postgres(t)}} {
		s := storetest.Open(t, cfg)
		if _, err := s.Writer().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, $1)", true); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(context.Background(), cfg)
		var e *apperr.Error
		if !errors.As(err, &e) || e.Code != apperr.Conflict || e.Key != "store.newer" || e.Args["database"] != int64(9999) {
			t.Errorf("%s: got %v", s.Engine(), err)
		}
	}
}
