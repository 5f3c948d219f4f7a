package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"vigia/collector/internal/audit"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// childEnv makes the test binary the program that TestKilledWriter kills.
const childEnv = "VIGIA_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if where := os.Getenv(childEnv); where != "" {
		appendForever(where)
		return
	}
	os.Exit(m.Run())
}

// appendForever writes audit entries from several goroutines and tells each one on
// standard output once it is committed.
func appendForever(where string) {
	cfg := store.Config{Path: where}
	if !filepath.IsAbs(where) {
		cfg = store.Config{DatabaseURL: where}
	}
	s, err := store.Open(context.Background(), cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				object := fmt.Sprintf("%d/%d", g, i)
				if err := s.Append(context.Background(), audit.Entry{Actor: "cli:test", Action: "test", Object: object}); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Println(object)
			}
		})
	}
	wg.Wait()
}

func TestKilledWriterLosesNothingAcknowledged(t *testing.T) {
	for engine, where := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "vigia.db"), "postgres": storetest.Postgres(t)} {
		t.Run(engine, func(t *testing.T) {
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), childEnv+"="+where)
			child.Stderr = os.Stderr
			out, err := child.StdoutPipe()
			must(t, err)
			must(t, child.Start())
			told := map[string]bool{}
			for lines := bufio.NewScanner(out); lines.Scan(); {
				told[lines.Text()] = true
				if len(told) == 300 {
					must(t, child.Process.Kill())
				}
			}
			_ = child.Wait()
			if len(told) < 300 {
				t.Fatalf("the child ended by itself after %d entries", len(told))
			}
			cfg := store.Config{Path: where}
			if engine == "postgres" {
				cfg = store.Config{DatabaseURL: where}
			}
			s := storetest.Open(t, cfg)
			var from int64 = 1
			for {
				page, err := s.AuditEntries(context.Background(), from, 1000)
				must(t, err)
				if len(page) == 0 {
					break
				}
				for _, e := range page {
					delete(told, e.Object)
				}
				from += int64(len(page))
			}
			if len(told) > 0 {
				t.Errorf("acknowledged and lost: %v", told)
			}
			if found, err := s.Check(context.Background()); err != nil || len(found) != 0 {
				t.Errorf("problems %+v, %v", found, err)
			}
		})
	}
}
